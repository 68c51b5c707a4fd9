/**
 * Calls a second of one, two and three workers, each on a machine of its own, by what bounds them. Run by `begin.ts`;
 * `--share 0.5` does half of the work, `--only line,places` some of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openRedis } from '../../src/cluster/redis.ts';
import { silentLog } from '../../src/domain/log.ts';
import { type Ground, openGround } from './ground.ts';
import { type Machine, narrowLine, type Network } from './network.ts';
import { Post } from './strike.ts';

const { values } = parseArgs({
  options: {
    share: { type: 'string', default: '1' },
    only: { type: 'string' },
    loopback: { type: 'boolean' },
  },
});
const network = JSON.parse(process.env['MEDIASWEEP_NETWORK'] ?? '') as Network;
const mostWorkers = 3;

interface Bound {
  readonly name: string;
  readonly about: string;
  /** Calls that each worker makes, about. */
  readonly callsEach: number;
  /** All workers make this many instead, together. */
  readonly calls?: number;
  readonly latencyMs: number;
  readonly limits: { readonly concurrency: number; readonly perSecond: number };
  readonly shards: string;
  /** Images of so many bytes go with their calls. */
  readonly inlineBytes?: number;
  /** What a worker may send. */
  readonly megabits?: number;
}

const wide = { concurrency: 2000, perSecond: 20_000 };
const bounds: readonly Bound[] = [
  {
    name: 'places',
    about: 'vendor answers after 1 s, a worker holds 4 shards of 10 tasks: 40 in flight',
    callsEach: 600,
    latencyMs: 1000,
    limits: wide,
    shards: '{ tasks: 10, perWorker: 4 }',
  },
  {
    name: 'line',
    about: 'images of 90 KB inside the calls, a worker may send 10 Mbit/s: 10 calls/s of 120 KB',
    callsEach: 200,
    latencyMs: 100,
    limits: wide,
    shards: '{ tasks: 50, perWorker: 2 }',
    inlineBytes: 90_000,
    megabits: 10,
  },
  {
    name: 'account',
    about: 'vendor answers after 200 ms, the account allows 100 calls/s, all workers together',
    callsEach: 0,
    calls: 2500,
    latencyMs: 200,
    limits: { concurrency: 64, perSecond: 100 },
    shards: '{ tasks: 100, perWorker: 4 }',
  },
  {
    name: 'processor',
    about:
      'vendor answers at once, no limits: coordinator, servers, stand-ins and workers on the same processors',
    callsEach: 0,
    calls: 4000,
    latencyMs: 0,
    limits: wide,
    shards: '{ tasks: 250, perWorker: 4 }',
  },
];

interface Measured {
  readonly rate: number;
  readonly seconds: number;
  /** What Redis did meanwhile, a second. */
  readonly redis: Doings;
}

interface Doings {
  readonly commands: number;
  readonly cpuMs: number;
  readonly kilobytes: number;
}

async function readRedis({ redis }: Ground): Promise<Doings> {
  const { client, close } = await openRedis(redis.settings, silentLog);
  const text = await client.info();
  close();
  const read = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1] ?? 0);
  return {
    commands: read('total_commands_processed'),
    cpuMs: 1000 * (read('used_cpu_sys') + read('used_cpu_user')),
    kilobytes: (read('total_net_input_bytes') + read('total_net_output_bytes')) / 1000,
  };
}

async function measure(bound: Bound, workers: number): Promise<Measured> {
  const { latencyMs, limits, shards, inlineBytes, megabits, callsEach, calls } = bound;
  const count = Math.round((calls ?? callsEach * workers) * Number(values.share));
  const ground = await openGround({
    network,
    faults: { delayMs: latencyMs },
    limits: { pai: { ...limits, maxOpenJobs: 100 }, qiniu: { ...limits, maxOpenJobs: 100 } },
    shards,
    isDurable: true,
  });
  try {
    await ground.putMedia('images/', count, 'image/jpeg', inlineBytes);
    const access = inlineBytes === undefined ? '' : 'access: { mode: inline }\n';
    const path = await ground.writePipeline(
      'nightly',
      `source: { bucket: { storage: main, bucket: media } }\n${access}services: [{ use: pai/image-quality }]\n`,
    );
    const [coordinator, ...machines] = network.machines as readonly [Machine, ...Machine[]];
    const posts: Post[] = [];
    for (const machine of machines.slice(0, workers)) {
      if (megabits !== undefined && network.isApart) await narrowLine(machine, megabits);
      posts.push(
        new Post(machine, () => ground.start(machine, 'worker', '--state', `state-${machine.name}`)),
      );
    }
    await sleep(1500);
    const before = await readRedis(ground);
    const begin = performance.now();
    const { exitCode, err } = await ground.start(coordinator, 'run', path, '--quiet').ended;
    const seconds = (performance.now() - begin) / 1000;
    const after = await readRedis(ground);
    const { begunMs } = ground.vendors.pai;
    for (const post of posts) await post.end();
    if (exitCode !== 0 || begunMs.length !== count) {
      throw new Error(`it ended with ${exitCode} after ${begunMs.length} of ${count} calls: ${err}`);
    }
    const calling = ((begunMs.at(-1) ?? 0) - (begunMs[0] ?? 0)) / 1000;
    const perSecond = (name: keyof Doings) => (after[name] - before[name]) / seconds;
    const redis = {
      commands: perSecond('commands'),
      cpuMs: perSecond('cpuMs'),
      kilobytes: perSecond('kilobytes'),
    };
    return { rate: (count - 1) / calling, seconds, redis };
  } finally {
    await ground.close();
  }
}

const figures: { readonly name: string; readonly value: number; readonly unit: string }[] = [];
const only = values.only?.split(',');
for (const bound of bounds) {
  if (only && !only.includes(bound.name)) continue;
  process.stdout.write(`${bound.name}: ${bound.about}\n`);
  let first = 0;
  for (let workers = 1; workers <= mostWorkers; workers += 1) {
    const { rate, seconds, redis } = await measure(bound, workers);
    if (workers === 1) first = rate;
    figures.push({ name: `${bound.about}; workers: ${workers}`, value: rate, unit: 'calls/s' });
    process.stdout.write(
      `  ${workers} worker${workers === 1 ? '' : 's'}: ${rate.toFixed(1)} calls/s, ${(rate / first).toFixed(2)} of one; the run took ${seconds.toFixed(1)} s; Redis ${redis.commands.toFixed(0)} commands/s, ${redis.cpuMs.toFixed(1)} ms of a processor and ${redis.kilobytes.toFixed(0)} KB a second\n`,
    );
  }
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
