/** A ledger with a run in it whose tasks are answered, as a killed run would have left it. */
import { join } from 'node:path';
import { openPipeline } from '../src/config/open.ts';
import type { Finding } from '../src/domain/finding.ts';
import type { Attempt, Ledger, RunLedger } from '../src/domain/ledger.ts';
import type { Pipeline } from '../src/domain/settings.ts';
import type { Task } from '../src/domain/task.ts';
import { planTasks } from '../src/plan/plan-tasks.ts';
import { openSource } from '../src/source/open-source.ts';
import { openLedger } from '../src/store/ledger.ts';
import { catalogue } from '../src/vendors/index.ts';
import { systemClock } from '../src/wire/clock.ts';
import { openObjectStorage } from '../src/wire/s3.ts';
import { pai, qiniu } from './project.ts';

const reply = {
  status: 200,
  body: '{"request_id":"1d4572a1-2800-4213-9e9c-33f9fa7e0000","code":"OK","message":"success","data":{"image_height":214,"image_width":398,"iqa_result":66.88}}',
};
const imageFinding: Finding = {
  labels: [],
  segments: [],
  metrics: { image_height: 214, image_width: 398, iqa_result: 66.88 },
};

/** A censored video with labels of three ops and the segments in which they were seen: ten rows of tables with its own. */
const videoFinding: Finding = {
  labels: ['pulp', 'terror', 'politician'].map((op, index) => ({
    op,
    label: op === 'politician' ? 'some person' : 'normal',
    score: 0.9 + index / 100,
    reportedScore: 0.9,
    beginMs: 5000,
    endMs: 10_000,
    segments: 2,
    needsReview: false,
  })),
  segments: ['pulp', 'terror', 'politician'].flatMap((op) =>
    [0, 5000].map((beginMs) => ({
      op,
      beginMs,
      endMs: beginMs + 5000,
      label: op === 'politician' ? 'some person' : 'normal',
      maxScore: 0.91,
      cuts: 2,
      needsReview: false,
    })),
  ),
  metrics: {},
};

export interface Filled {
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  readonly run: RunLedger;
}

export async function openBenchPipeline(folder: string): Promise<Pipeline> {
  return await openPipeline({
    path: join(folder, 'pipelines', 'bench.yaml'),
    configFolder: undefined,
    environment: { TOKEN: pai.token, ACCESS_KEY: qiniu.accessKey, SECRET_KEY: qiniu.secretKey },
    catalogue,
  });
}

/** Plans the whole source of the folder's pipeline, and answers its tasks but the last `open`. The run does not end. */
export async function fillLedger(folder: string, open = 0): Promise<Filled> {
  const pipeline = await openBenchPipeline(folder);
  const ledger = await openLedger({ folder: join(folder, '.mediasweep'), clock: systemClock });
  const run = await ledger.openRun({ pipeline, nowMs: Date.now(), billing: new Map() });
  const storage = openObjectStorage(pipeline.storages);
  const pages = openSource(pipeline, { storage, nowMs: Date.now() });
  const planned = planTasks(pages, {
    pipeline,
    run,
    probe: async () => ({}),
    noteUnread: () => undefined,
    explainNoLink: () => undefined,
    counters: { listed: 0, planned: 0, isListed: false },
  });
  let held: Task[] = [];
  for await (const tasks of planned) {
    held.push(...tasks);
    const due = held.slice(0, Math.max(0, held.length - open));
    held = held.slice(due.length);
    await answerAll(pipeline, run, due);
  }
  storage.close();
  return { pipeline, ledger, run };
}

/** An intent and an answer for each, in groups of so many. */
export async function answerAll(
  pipeline: Pipeline,
  run: RunLedger,
  tasks: readonly Task[],
  size = 100,
): Promise<void> {
  const [use] = pipeline.services;
  if (!use) throw new Error('the pipeline has no service');
  const finding = use.service.kinds.includes('video') ? videoFinding : imageFinding;
  for (let from = 0; from < tasks.length; from += size) {
    const group = tasks.slice(from, from + size).map((task) => ({ task, linkHash: '0'.repeat(32) }));
    const request = { service: use.name, account: use.account.name, isBatch: false, atMs: Date.now() };
    const intents = await Promise.all(group.map((one) => run.intend({ ...request, tasks: [one] })));
    const attempts = intents.flat().flatMap((one): Attempt[] => (one.is === 'intended' ? [one.attempt] : []));
    await Promise.all(
      attempts.map((attempt) =>
        run.transition([{ is: 'answered', attempt, finding, usage: attempt.usage, reply }]),
      ),
    );
  }
}
