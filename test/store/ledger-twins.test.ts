/**
 * The same work on a file and on PostgreSQL comes to the same: the rules are the same code, but what is read ahead, the order
 * of writes and the words of SQL are not.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ledger, RunLedger, Transition } from '../../src/domain/ledger.ts';
import type { Condition } from '../../src/domain/policy.ts';
import type { Task } from '../../src/domain/task.ts';
import { openLedger } from '../../src/store/ledger.ts';
import { openPostgresLedger } from '../../src/store/postgres-ledger.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { makeSchema, removeSchema } from '../support/postgres.ts';
import { describePostgres } from '../support/postgres-suite.ts';
import {
  finding,
  HandClock,
  intend,
  makeOpening,
  makePipeline,
  makePlanned,
  oneCall,
  prices,
  refusal,
} from './world.ts';

/** What comes after another; numbers choose among what there is. */
type Step =
  | { readonly is: 'plan'; readonly run: number; readonly keys: readonly number[]; readonly content: number }
  | { readonly is: 'intend'; readonly run: number; readonly picks: readonly number[] }
  | { readonly is: 'end'; readonly picks: readonly (readonly [number, number])[] }
  | { readonly is: 'release'; readonly run: number }
  | { readonly is: 'session'; readonly run: number }
  | { readonly is: 'settle'; readonly how: 'resend' | 'forget' };

const small = fc.nat(7);
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('plan' as const),
      run: small,
      keys: fc.array(small, { maxLength: 6 }),
      content: small,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      is: fc.constant('intend' as const),
      run: small,
      picks: fc.array(fc.nat(30), { maxLength: 6 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      is: fc.constant('end' as const),
      picks: fc.array(fc.tuple(fc.nat(30), fc.nat(7)), { maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('release' as const), run: small }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('session' as const), run: small }) },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('settle' as const),
      how: fc.constantFrom('resend' as const, 'forget' as const),
    }),
  },
);

const names = ['nightly', 'weekly'];
/** The second pipeline asks its second service only where the first one's answer gives reason to. */
const when: Condition = { service: 'quality', metric: 'iqa_result', is: { comparator: '>', value: 50 } };

describePostgres('two ledgers', (server) => {
  test('that go through the same tell the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 25 }), async (given) => {
        const folder = await mkdtemp(join(tmpdir(), 'mediasweep-twins-'));
        const access = makeSchema(server.access);
        const clock = new HandClock();
        const file = await openLedger({ folder, clock });
        const shared = await openPostgresLedger({
          access,
          clock: { ...systemClock, now: () => clock.now() },
        });
        try {
          expect(await play(shared, clock, given)).toEqual(await play(file, clock, given));
        } finally {
          await file.close();
          await shared.close();
          await removeSchema(access);
          await rm(folder, { recursive: true });
        }
      }),
      { numRuns: 25, endOnFailure: true, timeout: 60_000 },
    );
  }, 120_000);
});

/** Answers what each step did, and all that the ledger tells in the end. */
async function play(ledger: Ledger, clock: HandClock, given: readonly Step[]): Promise<unknown> {
  const told: unknown[] = [];
  const open = (name: string) =>
    ledger.openRun(
      makeOpening({
        pipeline: makePipeline({ name, caps: { run: 60_000_000n }, ...(name === 'weekly' && { when }) }),
        nowMs: clock.now(),
      }),
    );
  const runs: RunLedger[] = [];
  for (const name of names) runs.push(await open(name));
  const tasks: Task[][] = runs.map(() => []);
  const attempts: Transition['attempt'][] = [];
  const pick = <One>(list: readonly One[], number: number) => list[number % Math.max(1, list.length)];
  for (const step of given) {
    if (step.is === 'plan') {
      const place = step.run % runs.length;
      const items = step.keys.map((key) =>
        makePlanned(`${key}`, { content: `c${key % (step.content + 1)}`, services: ['quality', 'labels'] }),
      );
      const page = { items, unselected: 0, broken: [], isLast: true };
      const planned = (await runs[place]?.plan(page).catch((error: Error) => error.message)) ?? [];
      told.push(planned);
      if (typeof planned !== 'string') tasks[place]?.push(...planned);
    }
    if (step.is === 'intend') {
      const place = step.run % runs.length;
      const run = runs[place] as RunLedger;
      const chosen = step.picks.flatMap((number) => pick(tasks[place] ?? [], number) ?? []);
      const intents = await Promise.all(chosen.map((task) => intend(run, [task])));
      told.push(intents);
      attempts.push(...intents.flat().flatMap((one) => (one.is === 'intended' ? [one.attempt] : [])));
    }
    if (step.is === 'end') {
      const transitions = step.picks.flatMap(([number, how]) => {
        const attempt = pick(attempts, number);
        return attempt ? [makeTransition(attempt, how)] : [];
      });
      const [first] = runs as [RunLedger];
      told.push(await Promise.all(transitions.map((one) => first.transition([one]))));
    }
    if (step.is === 'release') told.push(await runs[step.run % runs.length]?.releaseWaiting());
    if (step.is === 'settle') told.push(await ledger.settleHeld(undefined, step.how));
    if (step.is === 'session') {
      const place = step.run % runs.length;
      const run = await open(names[place] ?? '');
      runs[place] = run;
      told.push(await run.reopenAskable([{ service: 'quality', account: 'pai-prod' }]));
      told.push(await run.readOrphans(0, 100), await run.readWaitedFor(100));
      tasks[place] = [
        ...(await run.readReady('quality', 0, 100)),
        ...(await run.readReady('labels', 0, 100)),
      ];
    }
  }
  for (const { id } of await ledger.listRuns(100)) {
    told.push(
      await ledger.findRun(id),
      await ledger.readItems(id, undefined, 100),
      await ledger.countTasks(id),
    );
    told.push(
      await ledger.readBill(id, prices),
      await ledger.readSpending(id),
      await ledger.readArchived(id, 0, 100),
    );
  }
  told.push(await ledger.readPositions(), await ledger.readUsage({}), await ledger.listHeld(undefined));
  told.push(
    await ledger.listFailed(undefined),
    runs.map(({ spending }) => spending),
  );
  return told;
}

function makeTransition(attempt: Transition['attempt'], how: number): Transition {
  const reply = { status: 200, body: `{"of":${attempt.id}}` };
  switch (how) {
    case 0:
      return { is: 'failed', attempt, refusal, isRemembered: true };
    case 1:
      return { is: 'again', attempt, refusal, costsAttempt: true, reply };
    case 2:
      return { is: 'held', attempt, cause: 'read ECONNRESET', isAskable: attempt.id % 2 === 0 };
    case 3:
      return { is: 'resend', attempt, cause: 'read ECONNRESET' };
    case 4:
      return { is: 'unsent', attempt, cause: 'refused' };
    case 5:
      return { is: 'accepted', attempt, job: `job-${attempt.id}` };
    default:
      return { is: 'answered', attempt, finding, usage: oneCall, reply };
  }
}
