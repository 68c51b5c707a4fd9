/**
 * Calls a second of the dispatcher over the durable ledger, against the same where no call waits for its intent: it leaves
 * at once, and the intent is written beside it. Answers are durable in both.
 */
import type { Attempt, RunLedger } from '../src/domain/ledger.ts';
import type { BenchLedger } from '../src/dispatch/bench.ts';
import { Dispatcher } from '../src/dispatch/dispatcher.ts';
import { makeLinker } from '../src/dispatch/link.ts';
import { silentLog } from '../src/domain/log.ts';
import type { Pipeline } from '../src/domain/settings.ts';
import { planTasks } from '../src/plan/plan-tasks.ts';
import { openSource } from '../src/source/open-source.ts';
import { openArtifactFolder } from '../src/store/artifact-folder.ts';
import { openLedger } from '../src/store/ledger.ts';
import { systemClock } from '../src/wire/clock.ts';
import { openHttp } from '../src/wire/http.ts';
import { openObjectStorage } from '../src/wire/s3.ts';
import { openBenchPipeline } from './filled-ledger.ts';
import { type Comparison, compare } from './measure.ts';
import { concurrency, makeProject, startVendor } from './project.ts';

export async function benchDurability(count: number, pairs: number): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const delayMs of [20, 0]) {
    const vendor = await startVendor(delayMs);
    comparisons.push(
      await compare(
        `${count} one-call tasks at ${concurrency} in flight, ${delayMs} ms added by the server, intents durable before calls`,
        'calls/s',
        'calls that wait for no intent',
        pairs,
        () => measure(vendor.port, count, (run) => run),
        () => measure(vendor.port, count, hurry),
      ),
    );
    vendor.stop();
  }
  return comparisons;
}

async function measure(port: number, count: number, see: (run: RunLedger) => BenchLedger): Promise<number> {
  const project = await makeProject({ count, port });
  const pipeline = await openBenchPipeline(project.folder);
  const state = `${project.folder}/.mediasweep`;
  const ledger = await openLedger({ folder: state, clock: systemClock, isThreaded: true });
  const http = openHttp({ connections: concurrency });
  try {
    const run = await ledger.openRun({ pipeline, nowMs: Date.now(), billing: new Map() });
    const begin = performance.now();
    const answered = await dispatch(pipeline, run, see(run), http);
    const seconds = (performance.now() - begin) / 1000;
    if (answered !== count) throw new Error(`${answered} of ${count} were answered`);
    return count / seconds;
  } finally {
    await http.close();
    await ledger.close();
    await project.remove();
  }
}

async function dispatch(
  pipeline: Pipeline,
  run: RunLedger,
  seen: BenchLedger,
  http: ReturnType<typeof openHttp>,
): Promise<number> {
  const { services, deadlines, resendBelow, access } = pipeline;
  const storage = openObjectStorage(pipeline.storages);
  const counters = { asked: 0, answered: 0, failed: 0, held: 0, repeated: 0, overCap: 0, released: 0 };
  const dispatcher = new Dispatcher({
    bench: {
      clock: systemClock,
      http,
      run: seen,
      pace: run.sharePace({ clock: systemClock, isAlive: async () => false }),
      link: makeLinker(access, storage, systemClock),
      artifacts: openArtifactFolder('unused', pipeline.name),
      log: silentLog,
      deadlines,
      resendBelow,
      hookUrl: () => undefined,
      counters,
      stop: new AbortController().signal,
    },
    services,
    feed: () =>
      planTasks(openSource(pipeline, { storage, nowMs: Date.now() }), {
        pipeline,
        run,
        probe: async () => ({}),
        noteUnread: () => undefined,
        explainNoLink: () => undefined,
        counters: { listed: 0, planned: 0, isListed: false },
      }),
    findUse: async () => undefined,
    isAlive: async () => false,
    isRereadable: false,
    graceMs: 0,
  });
  await dispatcher.run();
  storage.close();
  return counters.answered;
}

/** A run whose intents are told before they are written. */
function hurry(run: RunLedger): BenchLedger {
  const written = new Map<number, Promise<Attempt>>();
  let last = 0;
  return {
    isResumed: run.isResumed,
    get spending() {
      return run.spending;
    },
    intend: async (request) => {
      const writing = run.intend(request);
      return request.tasks.map(({ task, linkHash }, position) => {
        last += 1;
        written.set(
          last,
          writing.then((intents) => {
            const intent = intents[position];
            if (intent?.is !== 'intended') throw new Error(`task ${task.id} was not intended`);
            return intent.attempt;
          }),
        );
        const { service, account, isBatch, atMs: intendedAtMs } = request;
        const { id, reuseKey, usage, resends } = task;
        const of = { task: id, run: run.record.id, service, account, reuseKey, usage, resends };
        const call = { number: 1, ref: `ref-${last}`, call: last, position, linkHash, isBatch };
        const attempt: Attempt = { ...of, ...call, id: last, intendedAtMs, state: 'intent' };
        return { is: 'intended', attempt };
      });
    },
    transition: async (transitions) => {
      const known = transitions.map(async (one) => {
        const attempt = await written.get(one.attempt.id);
        written.delete(one.attempt.id);
        return attempt ? { ...one, attempt } : one;
      });
      return await run.transition(await Promise.all(known));
    },
    readReady: (...given) => run.readReady(...given),
    readOrphans: (...given) => run.readOrphans(...given),
    reopenAskable: (...given) => run.reopenAskable(...given),
    readWaitedFor: (...given) => run.readWaitedFor(...given),
    readKnownJobs: (...given) => run.readKnownJobs(...given),
    releaseWaiting: () => run.releaseWaiting(),
    quote: (...given) => run.quote(...given),
  };
}
