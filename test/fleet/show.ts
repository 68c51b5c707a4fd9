/**
 * A coordinator and three workers under load, struck over and over, and what the vendors saw of it. Run by `begin.ts`;
 * `--blows 60 --seed 1`; `--rounds 2` plays as many at least, `--order 'worker killed,coordinator killed'`
 * strikes so. Each round is a run of its own over new media; every other one has a cap that ends it.
 * Exit code 1 where anything was lost, doubled or passed.
 */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { mostInSecond } from '../../src/domain/pace.ts';
import { Chance } from '../simulation/chance.ts';
import { findBusiestSecond } from './counter.ts';
import { type Ground, type Limits, openGround, type Started } from './ground.ts';
import { type Books, countSince, findDifferences, readBooks, readSubmitted } from './judge.ts';
import type { Machine, Network } from './network.ts';
import { type Cut, type Kind, kinds, Post, shuffleDeck, strike, type Target } from './strike.ts';

const { values } = parseArgs({
  options: {
    blows: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    images: { type: 'string', default: '2400' },
    videos: { type: 'string', default: '40' },
    latency: { type: 'string', default: '1500' },
    pause: { type: 'string', default: '8000' },
    rounds: { type: 'string', default: '2' },
    order: { type: 'string' },
    loopback: { type: 'boolean' },
  },
});
const [blows, images, videos, latencyMs, pauseMs] = [
  values.blows,
  values.images,
  values.videos,
  values.latency,
  values.pause,
].map(Number) as [number, number, number, number, number];
const network = JSON.parse(process.env['MEDIASWEEP_NETWORK'] ?? '') as Network;
const limits: Readonly<Record<'pai' | 'qiniu', Limits>> = {
  pai: { concurrency: 64, perSecond: 40, maxOpenJobs: 100 },
  qiniu: { concurrency: 8, perSecond: 20, maxOpenJobs: 12 },
};
/** A coordinator that ends by itself so often does not get anywhere. */
const mostOwnEnds = 20;
/** Calls of a line that is mended arrive together, a while after they were made. */
const lateMs = 5000;
/** A loaded machine delivers some of the calls of a second late, and so closer to those of the next. */
const arrivalSlack = 3;

/** Where so little is in flight for so long, a blow falls all the same. */
const longestLullMs = 15_000;
/** Calls in flight at which a blow may fall. */
const enough = Math.min(limits.pai.concurrency, (limits.pai.perSecond * latencyMs) / 1000) / 4;

const wrongs: string[] = [];
const chance = new Chance(Number(values.seed));
const struck = new Map<Kind, number>();
const caught = new Map<Kind, number>();
const cuts: Cut[] = [];
const endsBySelf: string[] = [];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function require(isRight: boolean, wrong: string): void {
  if (isRight) return;
  wrongs.push(wrong);
  say(`WRONG: ${wrong}`);
}

function writePipeline(ground: Ground, name: string, cap: number | undefined): Promise<string> {
  const caps = cap === undefined ? '{ run: 1000 CNY }' : `{ run: 1000 CNY, units: { pai/basic: ${cap} } }`;
  return ground.writePipeline(
    name,
    `source: { bucket: { storage: main, bucket: media, prefix: ${name}/ } }
services:
  - use: pai/image-quality
  - { use: qiniu/video-censor, options: { ops: [{ op: politician }], vframe: { mode: 0, interval: 1 } } }
caps: ${caps}
`,
  );
}

function wherever(kind: Kind): string {
  return kind.startsWith('worker') ? 'there' : 'at all';
}

function seconds(): string {
  return (performance.now() / 1000).toFixed(1);
}

class Coordinator {
  readonly machine: Machine;
  ended: Awaited<Started['ended']> | undefined;
  readonly #start: () => Started;
  #running: Started;
  #ownEnds = 0;
  #isStruck = false;

  constructor(machine: Machine, start: () => Started) {
    this.machine = machine;
    this.#start = start;
    this.#running = start();
    void this.#watch();
  }

  readonly kill = async (): Promise<void> => {
    this.#isStruck = true;
    this.#running.process.kill('SIGKILL');
    await this.#running.ended;
  };

  /** Begun again where it was struck, or lost a server, as whoever runs it would. */
  async #watch(): Promise<void> {
    for (;;) {
      const ended = await this.#running.ended;
      if (!this.#isStruck) {
        if (ended.exitCode !== 3 || this.#ownEnds >= mostOwnEnds) {
          this.ended = ended;
          return;
        }
        this.#ownEnds += 1;
        endsBySelf.push(`coordinator ended with 3: ${ended.err.trim().slice(-600)}`);
        await sleep(500);
      }
      this.#isStruck = false;
      this.#running = this.#start();
    }
  }
}

async function playRound(target: Omit<Target, 'coordinator'>, round: number, left: number): Promise<number> {
  const { ground } = target;
  const name = `round-${round}`;
  await ground.putMedia(`${name}/`, images, 'image/jpeg');
  await ground.putMedia(`${name}/v`, videos, 'video/mp4');
  const cap = round % 2 === 1 ? Math.round(images * 0.8) : undefined;
  const path = await writePipeline(ground, name, cap);
  const before = { pai: readSubmitted(ground, 'pai'), qiniu: readSubmitted(ground, 'qiniu') };
  const machine = ground.network.machines[0] as Machine;
  const coordinator = new Coordinator(machine, () => ground.start(machine, 'run', path, '--json'));
  let done = 0;
  while (!coordinator.ended) {
    await sleep(chance.whole(pauseMs / 4, pauseMs));
    const untilMs = performance.now() + longestLullMs;
    const isLoaded = () => ground.vendors.pai.inFlight() >= enough;
    while (!isLoaded() && !coordinator.ended && performance.now() < untilMs) await sleep(20);
    if (coordinator.ended || done >= left) continue;
    const kind = deck.pop() ?? refill();
    const inFlight = await strike({ ...target, coordinator }, kind);
    struck.set(kind, (struck.get(kind) ?? 0) + 1);
    caught.set(kind, (caught.get(kind) ?? 0) + inFlight);
    done += 1;
    say(`  ${seconds()} s: ${kind}, ${inFlight} image calls in flight ${wherever(kind)}`);
  }
  await Promise.all(target.pending);
  try {
    await judgeRound(ground, name, coordinator.ended, { cap, path, before });
  } catch (error) {
    require(false, `${name}: it could not be judged: ${String(error)}`);
  }
  await ground.removeMedia(`${name}/`);
  return done;
}

let deck = (values.order?.split(',') ?? [])
  .filter((kind) => kinds.includes(kind as Kind))
  .toReversed() as Kind[];
function refill(): Kind {
  deck = shuffleDeck(chance, network.isApart);
  return deck.pop() as Kind;
}

const sums = {
  calls: 0,
  repeated: 0,
  uncertain: 0,
  held: 0,
  lost: 0,
  videos: 0,
  twice: 0,
  capsTried: 0,
  overshoot: 0,
  compared: 0,
};

async function judgeRound(
  ground: Ground,
  name: string,
  { exitCode, out, err }: Awaited<Started['ended']>,
  {
    cap,
    path,
    before,
  }: {
    readonly cap: number | undefined;
    readonly path: string;
    readonly before: Readonly<Record<'pai' | 'qiniu', Readonly<Record<string, number>>>>;
  },
): Promise<void> {
  const expected = cap === undefined ? [0, 1] : [4];
  require(expected.includes(exitCode ?? -1), `${name}: it ended with ${exitCode}: ${err.slice(-1500)}`);
  const books: Books = await readBooks(out);
  const { counts, known, uncertain } = books;
  const pai = countSince(before.pai, readSubmitted(ground, 'pai'));
  const billed = pai.reduce((sum, times) => sum + times, 0);
  const qiniu = countSince(before.qiniu, readSubmitted(ground, 'qiniu'));
  const sent = qiniu.length;
  require(sent === videos, `${name}: ${sent} submissions of ${videos} videos`);
  const twice = qiniu.filter((times) => times > 1).length;
  const repeated = billed - pai.length;
  const held = counts['held'] ?? 0;
  const ended = ['answered', 'reused', 'held', 'overCap'].reduce((sum, key) => sum + (counts[key] ?? 0), 0);
  const isAll = counts['items'] === images + videos && ended === images + videos && counts['open'] === 0;
  require(isAll, `${name}: not all is accounted for: ${JSON.stringify(counts)}`);
  const lost = Math.max(0, billed - known - uncertain);
  require(lost ===
    0, `${name}: ${billed} calls at the vendor, ${known} known and ${uncertain} uncertain on the bill`);
  require(repeated <= uncertain, `${name}: ${repeated} calls repeated, ${uncertain} admitted`);
  require(twice === 0, `${name}: ${twice} videos submitted twice`);
  if (cap !== undefined) {
    sums.capsTried += 1;
    sums.overshoot = Math.max(sums.overshoot, billed - cap, known + uncertain - cap);
    require(billed <= cap &&
      known + uncertain <= cap, `${name}: ${billed} calls at the vendor under a cap of ${cap}`);
  }
  sums.calls += billed;
  sums.repeated += repeated;
  sums.uncertain += uncertain;
  sums.held += held;
  sums.lost += lost;
  sums.videos += sent;
  sums.twice += twice;
  let likeness = '';
  if (cap === undefined && held === 0) {
    const alone = await runAlone(ground, name, path);
    const differing = await findDifferences(books.folder, alone);
    sums.compared += 1;
    require(differing.length === 0, `${name}: ${differing.join(', ')} differ from those of one machine`);
    likeness = differing.length === 0 ? ', reports as those of one machine' : ', reports differ';
  }
  const under = cap === undefined ? '' : ` under a cap of ${cap}`;
  say(
    `${name}: ended with ${exitCode}, ${billed} image calls${under} (${known} known, ${uncertain} uncertain, ${repeated} repeated), ${held} held${likeness}`,
  );
}

/** Without Redis, PostgreSQL and workers, over the same media, by vendors that answer at once. */
async function runAlone(ground: Ground, name: string, path: string): Promise<string> {
  const { folder, vendors } = ground;
  const alone = join(folder, name);
  await cp(join(folder, 'config'), join(alone, 'config'), { recursive: true });
  await rm(join(alone, 'config', 'cluster.yaml'));
  const accounts = join(alone, 'config', 'accounts.yaml');
  const limited = await readFile(accounts, 'utf8');
  await writeFile(accounts, limited.replaceAll(/"perSecond":\d+/g, '"perSecond":1000'));
  await ground.setFaults({ delayMs: 0, jobMs: 100 });
  for (const counter of Object.values(vendors)) counter.setWatched(false);
  const machine = ground.network.machines[0] as Machine;
  const at = [
    '--config',
    join(alone, 'config'),
    '--state',
    join(alone, 'state'),
    '--out',
    join(alone, 'out'),
  ];
  const { exitCode, out, err } = await ground.start(machine, 'run', path, '--json', ...at).ended;
  require(exitCode === 0, `${name}: alone it ended with ${exitCode}: ${err.slice(-600)}`);
  await ground.setFaults({ delayMs: latencyMs, jobMs: 4 * latencyMs });
  for (const counter of Object.values(vendors)) counter.setWatched(true);
  return (JSON.parse(out) as { readonly folder: string }).folder;
}

/** What the vendors saw in any second and at any time, beside what their accounts allow. */
function judgePace({ vendors }: Ground): readonly string[] {
  const isLate = (atMs: number) => cuts.some(({ toMs }) => atMs >= toMs && atMs < toMs + lateMs);
  return (['pai', 'qiniu'] as const).flatMap((name) => {
    const { perSecond, concurrency, maxOpenJobs } = limits[name];
    const { inFlight, openJobs } = vendors[name].peaks();
    const { begunMs } = vendors[name];
    const busiest = findBusiestSecond(begunMs, (atMs) => !isLate(atMs)).calls;
    const late = findBusiestSecond(begunMs, isLate).calls;
    const most = mostInSecond(perSecond);
    require(busiest <= most + arrivalSlack, `${name}: ${busiest} calls in a second, ${most} allowed`);
    require(inFlight <= concurrency, `${name}: ${inFlight} calls in flight, ${concurrency} allowed`);
    require(openJobs <= maxOpenJobs, `${name}: ${openJobs} jobs open, ${maxOpenJobs} allowed`);
    return [
      `${name}: ${begunMs.length} calls; at most ${busiest} in any second (allowed ${most})${network.isApart ? `, ${late} within ${lateMs / 1000} s after a line was mended` : ''}; at most ${inFlight} in flight (allowed ${concurrency})${name === 'qiniu' ? `; at most ${openJobs} jobs open (allowed ${maxOpenJobs})` : ''}`,
    ];
  });
}

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const ground = await openGround({
  network,
  faults: { delayMs: latencyMs, jobMs: 4 * latencyMs },
  limits,
  shards: '{ tasks: 60, perWorker: 4 }',
});
process.once('SIGTERM', () => void ground.close().then(() => process.exit(143)));
try {
  let count = 0;
  const workers = ground.network.machines.slice(1).map((machine) => {
    const start = () => {
      count += 1;
      return ground.start(machine, 'worker', '--grace', '5s', '--state', `state-${count}`);
    };
    return new Post(machine, start);
  });
  const shared = {
    ground,
    workers,
    chance,
    pauseMs,
    cuts,
    away: new Set<string>(),
    pending: new Set<Promise<void>>(),
  };
  let done = 0;
  for (let round = 0; done < blows || round < Number(values.rounds); round += 1)
    done += await playRound(shared, round, blows - done);
  for (const worker of workers) {
    const exitCode = await worker.end();
    require(exitCode === 0, `${worker.machine.name} was told to end, and ended with ${exitCode}`);
    endsBySelf.push(...worker.ownEnds);
  }
  say('');
  for (const kind of kinds) {
    const times = struck.get(kind) ?? 0;
    if (times > 0) say(`${times} times ${kind}: ${caught.get(kind)} image calls in flight ${wherever(kind)}`);
  }
  say(
    `${done} blows, seed ${values.seed}; the vendors' clock was late by ${(delay.max / 1e6).toFixed(0)} ms at most`,
  );
  say(
    `${sums.calls} image calls, ${sums.repeated} of them repeated, ${sums.uncertain} admitted as uncertain; ${sums.held} held; ${sums.videos} videos, ${sums.twice} submitted twice`,
  );
  say(
    `answers lost: ${sums.lost}; caps tried: ${sums.capsTried}, overshoot ${Math.max(0, sums.overshoot)}; reports compared: ${sums.compared}`,
  );
  for (const line of judgePace(ground)) say(line);
  for (const one of endsBySelf) say(`by itself: ${one}`);
  say(wrongs.length === 0 ? 'nothing lost, doubled or passed' : `${wrongs.length} wrong`);
} finally {
  delay.disable();
  await ground.close();
}
process.exitCode = wrongs.length === 0 ? 0 : 1;
