/** What every ledger must do, whatever database stands behind it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Attempt, Ledger, PlanPage, RunLedger } from '../../src/domain/ledger.ts';
import type { Condition } from '../../src/domain/policy.ts';
import type { TaskRange } from '../../src/domain/shard.ts';
import type { Task } from '../../src/domain/task.ts';
import { settleUsage, type Usage } from '../../src/domain/usage.ts';
import { listLedgers, type LedgerPlace } from '../support/ledgers.ts';
import { nastyTexts } from '../security/hostile.ts';
import { describeReal } from '../support/server.ts';
import {
  answer,
  begin,
  finding,
  HandClock,
  hourMs,
  intend,
  makeBilling,
  makeItem,
  makeOpening,
  makePipeline,
  makePlanned,
  oneCall,
  plan,
  prices,
  readStates,
  refusal,
  startMs,
} from '../store/world.ts';

const ledgers = listLedgers();

describe.each(ledgers)('a ledger on $name', ({ name, missing, makePlace }) => {
  describeReal(name, missing, () => holdLedger(makePlace));
});

/** As UTF-8 can hold it: half a character becomes one or more marks of what cannot be read. */
const formed = (text: string): string =>
  Buffer.from(text)
    .toString()
    .replaceAll(/\uFFFD+/g, '\uFFFD');

/** What every ledger must do. */
function holdLedger(makePlace: () => Promise<LedgerPlace>): void {
  let place: LedgerPlace;
  let clock: HandClock;
  let ledger: Ledger;
  let others: Ledger[];

  beforeEach(async () => {
    place = await makePlace();
    clock = new HandClock();
    ledger = await place.open(clock);
    others = [];
  });

  afterEach(async () => {
    for (const one of [ledger, ...others]) await one.close();
    await place.remove();
  });

  async function openOther(): Promise<Ledger> {
    const other = await place.open(clock);
    others.push(other);
    return other;
  }

  function end(run: RunLedger, state: 'finished' | 'stopped' = 'finished') {
    return run.end({ state, exitCode: state === 'finished' ? 0 : 3, why: 'because', atMs: startMs + 5000 });
  }

  /** A run on the pipeline's answers: one item answered, one failed for good, one held. */
  async function fillKeys(): Promise<RunLedger> {
    const run = await ledger.openRun(makeOpening());
    const tasks = await plan(run, [makePlanned('a'), makePlanned('b'), makePlanned('c')]);
    const [first, second, third] = await Promise.all(tasks.map((task) => begin(run, task)));
    if (!first || !second || !third) throw new Error('expected three attempts');
    await answer(run, first);
    await run.transition([
      { is: 'failed', attempt: second, refusal, isRemembered: true },
      { is: 'held', attempt: third, cause: 'read ECONNRESET' },
    ]);
    await end(run);
    return run;
  }

  test('texts that mean harm come back as they were given: NUL, quotes, and of halves of characters what UTF-8 can hold', async () => {
    const texts = [...nastyTexts, 'b\0', 'b\0\0c', '\u0001', '\uD83Dx', 'x\uDE00'];
    const run = await ledger.openRun(makeOpening());
    // Manifests bring no half of a character; vendors' replies may.
    const planned = texts.map((text, index) => {
      const [etag, contentType] = [formed(text), formed(text)];
      return makePlanned(`${String(index).padStart(3, '0')} ${etag}`, { item: { etag, contentType } });
    });
    const tasks = await run.plan({
      items: planned,
      unselected: 0,
      broken: texts.map((message, index) => ({ line: index + 1, message })),
      isLast: true,
    });
    for (const [index, task] of tasks.entries()) {
      const text = texts[index] ?? '';
      const attempt = await begin(run, task);
      const words = { ...refusal, message: text, code: text };
      const labels = [{ label: text, score: 0.5 }];
      const reply = { status: 200, body: JSON.stringify({ text }) };
      await run.transition([
        index % 2 === 0
          ? { is: 'failed', attempt, refusal: words, isRemembered: true }
          : { is: 'answered', attempt, finding: { ...finding, labels }, usage: oneCall, reply },
      ]);
    }
    const rows = await ledger.readItems(run.record.id, undefined, 1000);
    expect(rows.map(({ item: { id, etag, contentType } }) => ({ id, etag, contentType }))).toEqual(
      planned.map(({ item: { id, etag, contentType } }) => ({ id, etag, contentType })),
    );
    const told = rows.map(({ tasks: [task] }, index) =>
      index % 2 === 0 ? task?.error?.message : task?.finding?.labels[0]?.label,
    );
    expect(told.map((text) => formed(text ?? ''))).toEqual(texts.map(formed));
    const broken = await ledger.readBroken(run.record.id, 1000);
    expect(broken.map(({ message }) => formed(message))).toEqual(texts.map(formed));
    const ids = rows.map(({ item }) => item.id);
    expect((await ledger.readNamed(run.record.id, ids)).length).toBe(ids.length);
    expect((await ledger.listFailed(undefined)).length).toBe(Math.ceil(texts.length / 2));
  });

  describe('opening a run', () => {
    test('names it by time and pipeline, and a taken name gets -2', async () => {
      const first = await ledger.openRun(makeOpening());
      const second = await ledger.openRun(makeOpening({ startNew: true }));
      const third = await ledger.openRun(makeOpening({ startNew: true }));
      expect([first, second, third].map((run) => run.record.id)).toEqual([
        '20261120T020000Z-nightly',
        '20261120T020000Z-nightly-2',
        '20261120T020000Z-nightly-3',
      ]);
      expect(first.record).toMatchObject({
        pipeline: 'nightly',
        state: 'running',
        hash: 'hash-1',
        services: ['quality', 'labels'],
        listing: 'partial',
        startedAt: '2026-11-20T02:00:00.000Z',
        written: { source: { bucket: { storage: 'main' } }, services: [] },
      });
    });

    const cases: readonly {
      readonly title: string;
      readonly end?: 'finished' | 'stopped';
      readonly opening: Parameters<typeof makeOpening>[0];
      readonly isResumed: boolean;
    }[] = [
      { title: 'goes on with one whose process died', opening: {}, isResumed: true },
      { title: 'goes on with one that stopped', end: 'stopped', opening: {}, isResumed: true },
      { title: 'begins anew after one that finished', end: 'finished', opening: {}, isResumed: false },
      {
        title: 'goes on with one of almost 20 h',
        opening: { nowMs: startMs + 20 * hourMs - 1 },
        isResumed: true,
      },
      { title: 'begins anew after 20 h', opening: { nowMs: startMs + 20 * hourMs }, isResumed: false },
      {
        title: 'goes on with an older one when asked to',
        opening: { nowMs: startMs + 90 * hourMs, resumeAnyAge: true },
        isResumed: true,
      },
      { title: 'begins anew when asked to', opening: { startNew: true }, isResumed: false },
      {
        title: 'begins anew under another shape',
        opening: { pipeline: makePipeline({ shapeHash: 'shape-2' }) },
        isResumed: false,
      },
      {
        title: 'goes on under other caps and limits',
        opening: { pipeline: makePipeline({ hash: 'hash-2' }) },
        isResumed: true,
      },
      {
        title: 'does not mind another pipeline',
        opening: { pipeline: makePipeline({ name: 'weekly' }) },
        isResumed: false,
      },
    ];
    test.each(cases)('$title', async ({ end: state, opening, isResumed }) => {
      const first = await ledger.openRun(makeOpening());
      if (state) await end(first, state);
      const second = await ledger.openRun(makeOpening(opening));
      expect(second.isResumed).toBe(isResumed);
      expect(second.record.id === first.record.id).toBe(isResumed);
      expect(second.record.state).toBe('running');
      expect(second.record.endedAt).toBeUndefined();
      expect(second.record.hash).toBe(opening?.pipeline?.hash ?? 'hash-1');
    });

    test('closes an unfinished older run as superseded, and a finished one not', async () => {
      const first = await ledger.openRun(makeOpening());
      await end(first);
      await ledger.openRun(makeOpening({ startNew: true }));
      await ledger.openRun(makeOpening({ startNew: true }));
      const runs = await ledger.listRuns(10);
      expect(runs.map((run) => run.state)).toEqual(['running', 'superseded', 'finished']);
    });

    test('refuses to go on under a changed shape, naming what changed', async () => {
      await ledger.openRun(makeOpening());
      const pipeline = makePipeline({
        shapeHash: 'shape-2',
        written: { source: { csv: { path: 'x.csv' } }, services: [] },
      });
      await expect(ledger.openRun(makeOpening({ pipeline, resumeAnyAge: true }))).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(
          /^pipelines\/nightly\.yaml: run "20261120T020000Z-nightly" .* change in source\. Put it back, or .*--new/,
        ) as string,
      });
    });

    test('refuses to go on with one that has planned more than it is to look at', async () => {
      const first = await ledger.openRun(makeOpening());
      const items = ['a.jpg', 'b.jpg', 'c.jpg'].map((name) => makePlanned(name));
      await first.plan({ items, unselected: 0, broken: [], isLast: false });
      await end(first, 'stopped');
      await expect(ledger.openRun(makeOpening({ limit: 2 }))).rejects.toMatchObject({
        exitCode: 2,
        message:
          'pipelines/nightly.yaml: --limit 2: run "20261120T020000Z-nightly", which this would go on with, has looked at 3 items already. Leave --limit away to go on with it, or begin a new run of 2 with --new.',
      });
      expect((await ledger.listRuns(10)).map((run) => run.state)).toEqual(['stopped']);
      expect((await ledger.openRun(makeOpening({ limit: 3 }))).isResumed).toBe(true);
      expect((await ledger.openRun(makeOpening({ limit: 2, startNew: true }))).isResumed).toBe(false);
    });

    test('counts what a reading left out anew where the reading begins anew', async () => {
      const page = { items: [], unselected: 7, broken: [{ line: 3, message: 'no url' }], isLast: false };
      const first = await ledger.openRun(makeOpening());
      await first.plan(page);
      expect(first.record.counters).toMatchObject({ unselected: 7, broken: 1 });
      const second = await ledger.openRun(makeOpening());
      expect(second.record.counters).toMatchObject({ unselected: 0, broken: 0 });
      await second.plan(page);
      expect(second.record.counters).toMatchObject({ unselected: 7, broken: 1 });
      expect(await ledger.readBroken(second.record.id, 10)).toEqual([{ line: 3, message: 'no url' }]);
      expect(await ledger.readBroken(second.record.id, 10, 2)).toEqual([{ line: 3, message: 'no url' }]);
      expect(await ledger.readBroken(second.record.id, 10, 3)).toEqual([]);
    });

    test('plans nothing twice where a listing began anew, and counts what it left out from there', async () => {
      const page = (names: readonly string[], more: Partial<PlanPage> = {}): PlanPage => ({
        items: names.map((name) => makePlanned(name)),
        unselected: 1,
        broken: [],
        checkpoint: 'on',
        isLast: false,
        ...more,
      });
      const first = await ledger.openRun(makeOpening());
      expect(await first.plan(page(['a', 'b'], { isFirst: true }))).toHaveLength(2);
      expect(await first.plan(page(['c', 'a'], { anew: 'first' }))).toHaveLength(1);
      expect(await first.plan(page(['b'], { anew: 'later' }))).toEqual([]);
      expect(first.record.counters).toMatchObject({ items: 3, unselected: 2 });
      const second = await ledger.openRun(makeOpening());
      const again = await second.plan(page(['c', 'a', 'd'], { isFirst: true, anew: 'first' }));
      expect(again.map(({ item }) => item.id)).toEqual([makePlanned('d').item.id]);
      expect(await second.plan(page(['b'], { anew: 'later', isLast: true }))).toEqual([]);
      expect(second.record.counters).toMatchObject({ items: 4, unselected: 2 });
      // Those of the session before wait in the ledger.
      expect((await second.readReady(again[0]?.service ?? '', 0, 10)).length).toBeGreaterThanOrEqual(3);
    });

    test('goes on counting where listing goes on from a checkpoint', async () => {
      const first = await ledger.openRun(makeOpening());
      await first.plan({ items: [], unselected: 7, broken: [], checkpoint: 'after-7', isLast: true });
      const second = await ledger.openRun(makeOpening());
      expect(second.checkpoint).toBe('after-7');
      expect(second.record).toMatchObject({ listing: 'complete', counters: { unselected: 7 } });
    });

    test('lets tasks that waited be planned again', async () => {
      const first = await ledger.openRun(makeOpening());
      const [one, two] = await plan(first, [
        makePlanned('a', { content: 'same' }),
        makePlanned('b', { content: 'same' }),
      ]);
      await begin(first, one);
      expect(await intend(first, [two as Task])).toEqual([{ is: 'waiting' }]);
      const second = await ledger.openRun(makeOpening());
      expect(await readStates(ledger, second.record.id)).toEqual(['a quality intent', 'b quality planned']);
      expect(await second.readReady('quality', 0, 10)).toHaveLength(1);
    });
  });

  describe('planning', () => {
    test('answers tasks that may be sent, with their items as handed in', async () => {
      const run = await ledger.openRun(makeOpening());
      const url = 'https://cdn.example/a.jpg?X-Amz-Signature=secret';
      const [task] = await plan(run, [makePlanned('a', { item: { url } })]);
      expect(task).toMatchObject({
        item: { id: 'media/a', url },
        service: 'quality',
        reuseKey: 'a/quality',
        usage: oneCall,
        attempts: 0,
        resends: 0,
      });
    });

    test('keeps the safe part of a link only, and says that it was cut', async () => {
      const run = await ledger.openRun(makeOpening());
      const signed = 'https://cdn.example/a.jpg?X-Amz-Signature=secret';
      await plan(run, [
        makePlanned('a', { item: { url: signed } }),
        makePlanned('b', { item: { url: 'https://cdn.example/b.jpg?v=2' } }),
        makePlanned('c', { item: { images: ['https://cdn.example/c.jpg', signed], videoUrl: signed } }),
        makePlanned('d', { item: { text: `see ${signed}`, title: '标题' } }),
      ]);
      const items = (await run.readReady('quality', 0, 10)).map((task) => task.item);
      expect(items[0]).toMatchObject({ url: 'https://cdn.example/a.jpg', isUrlCut: true });
      expect(items[1]).toEqual(makeItem('b', { url: 'https://cdn.example/b.jpg?v=2' }));
      expect(items[2]).toMatchObject({
        images: ['https://cdn.example/c.jpg', 'https://cdn.example/a.jpg'],
        isUrlCut: true,
      });
      expect(items[3]).toMatchObject({ title: '标题', isUrlCut: true });
      expect(JSON.stringify(items)).not.toContain('secret');
    });

    test('gives a repeated id #2, #3 and so on, past ids that look alike', async () => {
      const run = await ledger.openRun(makeOpening());
      const named = (key: string, id: string) => makePlanned(key, { item: { id } });
      await plan(run, [
        named('a', 'x'),
        named('b', 'x#3'),
        named('c', 'x'),
        named('d', 'x'),
        named('e', 'x'),
      ]);
      const rows = await ledger.readItems(run.record.id, undefined, 10);
      const ids = rows.map((row) => row.item.id);
      expect(new Set(ids).size).toBe(5);
      expect(ids.slice(0, 3)).toEqual(['x', 'x#3', 'x#2']);
    });

    test('of the same page twice in a session changes nothing', async () => {
      const run = await ledger.openRun(makeOpening());
      const items = [makePlanned('a'), makePlanned('b')];
      expect(await plan(run, items)).toHaveLength(2);
      expect(await plan(run, items)).toEqual([]);
      expect(run.record.counters).toEqual({ items: 2, notApplicable: 2, unselected: 0, broken: 0 });
    });

    test('answers planned tasks of an earlier session whose item comes again, and no others', async () => {
      const first = await ledger.openRun(makeOpening());
      const url = 'https://cdn.example/a.jpg?token=secret';
      const items = [makePlanned('a', { item: { url } }), makePlanned('b'), makePlanned('c')];
      const tasks = await plan(first, items);
      await answer(first, await begin(first, tasks[1]));
      await begin(first, tasks[2]);
      const second = await ledger.openRun(makeOpening());
      const again = await plan(second, items);
      expect(again).toEqual([tasks[0]]);
      expect(second.record.counters.items).toBe(3);
    });

    test('takes up content that changed between two sessions', async () => {
      const first = await ledger.openRun(makeOpening());
      const [old] = await plan(first, [makePlanned('a', { content: 'old' })]);
      const second = await ledger.openRun(makeOpening());
      const usage = { units: { 'pai/basic': 2 }, basis: 'estimated' as const };
      const changed = makePlanned('a', { content: 'new', item: { etag: '"new"' }, usage });
      const [task] = await plan(second, [changed]);
      expect(task).toMatchObject({ id: old?.id, reuseKey: 'new/quality', usage });
      expect(await second.readReady('quality', 0, 10)).toEqual([task]);
    });

    test('refuses a source whose items stand elsewhere than when the run began', async () => {
      const line = new Uint8Array([0, 0, 0, 5]);
      const first = await ledger.openRun(makeOpening());
      await plan(first, [makePlanned('a', { item: { position: line, id: 'post-1' } })]);
      const second = await ledger.openRun(makeOpening());
      await expect(
        plan(second, [makePlanned('b', { item: { position: line, id: 'post-2' } })]),
      ).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(/expected item "post-1", found "post-2".*--new/) as string,
      });
    });

    test('counts skipped tasks by their reason', async () => {
      const run = await ledger.openRun(makeOpening());
      expect(await plan(run, [makePlanned('a', { skip: 'larger than 100 MB' })])).toEqual([]);
      expect(await ledger.countTasks(run.record.id)).toEqual([
        { service: 'quality', state: 'skipped', reason: 'larger than 100 MB', count: 1 },
      ]);
    });

    test('settles by reuse key: answered is reused, a remembered failure fails, held stays held', async () => {
      await fillKeys();
      const run = await ledger.openRun(makeOpening());
      expect(await plan(run, [makePlanned('a'), makePlanned('b'), makePlanned('c')])).toEqual([]);
      const rows = await ledger.readItems(run.record.id, undefined, 10);
      expect(rows.map((row) => row.tasks[0])).toMatchObject([
        { state: 'reused', finding, units: {}, charge: 0n, attempts: 0 },
        {
          state: 'failed',
          reason: 'media-unreadable',
          error: { class: 'media-unreadable', code: 'InvalidImage', httpStatus: 400 },
        },
        { state: 'held', reason: 'unknown-fate', error: { message: 'read ECONNRESET' } },
      ]);
      expect(await ledger.readBill(run.record.id, prices)).toEqual([]);
    });

    const reuses: readonly {
      readonly title: string;
      readonly reuse: Parameters<typeof makePipeline>[0];
      readonly hours: number;
      readonly planned: readonly string[];
    }[] = [
      {
        title: 'an answer of just the greatest age is reused',
        reuse: { reuse: { maxAgeMs: hourMs } },
        hours: 1,
        planned: [],
      },
      {
        title: 'an older answer is not',
        reuse: { reuse: { maxAgeMs: hourMs } },
        hours: 1.1,
        planned: ['a/quality'],
      },
      {
        title: 'a failure is tried again after its time',
        reuse: { reuse: { retryFailedAfterMs: hourMs } },
        hours: 2,
        planned: ['b/quality'],
      },
      {
        title: 'answers of other runs do not count under never',
        reuse: { reuse: { by: 'never' } },
        hours: 0,
        planned: ['a/quality'],
      },
    ];
    test.each(reuses)('$title', async ({ reuse, hours, planned }) => {
      await fillKeys();
      const nowMs = startMs + hours * hourMs;
      const run = await ledger.openRun(makeOpening({ pipeline: makePipeline(reuse), nowMs }));
      const keys = ['a/quality', 'b/quality', 'c/quality', 'd/quality'];
      const known = await run.readKnown(keys, []);
      const tasks = await plan(run, [makePlanned('a'), makePlanned('b'), makePlanned('c')]);
      expect(tasks.map((task) => task.reuseKey)).toEqual(planned);
      expect(keys.filter((key) => !known.settledKeys.has(key))).toEqual([...planned, 'd/quality']);
    });

    test('reuses answers of this run even under never', async () => {
      const opening = makeOpening({ pipeline: makePipeline({ reuse: { by: 'never' } }) });
      const first = await ledger.openRun(opening);
      const [task] = await plan(first, [makePlanned('a', { content: 'same' })]);
      await answer(first, await begin(first, task));
      const second = await ledger.openRun(opening);
      expect(await plan(second, [makePlanned('b', { content: 'same' })])).toEqual([]);
      expect(await readStates(ledger, second.record.id)).toEqual(['a quality answered', 'b quality reused']);
    });

    test('lets a task wait for one of its own run under never', async () => {
      const run = await ledger.openRun(makeOpening({ pipeline: makePipeline({ reuse: { by: 'never' } }) }));
      const [one, two] = await plan(run, [
        makePlanned('a', { content: 'same' }),
        makePlanned('b', { content: 'same' }),
      ]);
      const attempt = await begin(run, one);
      await intend(run, [two as Task]);
      await answer(run, attempt);
      expect(await readStates(ledger, run.record.id)).toEqual(['a quality answered', 'b quality reused']);
    });

    test('reuses the newest of several answers', async () => {
      await fillKeys();
      const never = makePipeline({ reuse: { by: 'never' } });
      const fresh = await ledger.openRun(makeOpening({ pipeline: never }));
      const [task] = await plan(fresh, [makePlanned('a')]);
      const newest = { ...finding, metrics: { iqa_result: 12 } };
      const attempt = await begin(fresh, task);
      await fresh.transition([{ is: 'answered', attempt, finding: newest, usage: oneCall }]);
      const run = await ledger.openRun(makeOpening({ startNew: true }));
      await plan(run, [makePlanned('a')]);
      const [row] = await ledger.readItems(run.record.id, undefined, 1);
      expect(row?.tasks[0]).toMatchObject({ state: 'reused', finding: newest });
    });

    test('remembers what was read from media by content', async () => {
      const run = await ledger.openRun(makeOpening());
      const media = { durationSeconds: 12.5, width: 640, height: 360, format: 'mp4' };
      await plan(run, [makePlanned('a', { planned: { contentId: 'content-a', media } })]);
      const known = await run.readKnown([], ['content-a', 'content-b']);
      expect([...known.media]).toEqual([['content-a', media]]);
    });

    test('takes keys that hold any characters', async () => {
      const run = await ledger.openRun(makeOpening());
      const keys = ['a\u0000b', 'a\nb', '中文/😀+ %20.jpg', "'; DROP TABLE runs; --"];
      await plan(
        run,
        keys.map((key) => makePlanned(key)),
      );
      const rows = await ledger.readItems(run.record.id, undefined, 10);
      expect(new Set(rows.map((row) => row.item.object?.key))).toEqual(new Set(keys));
    });
  });

  describe('an intent', () => {
    test('numbers the attempts of a key and gives each its reference', async () => {
      const run = await ledger.openRun(makeOpening());
      const [task] = await plan(run, [makePlanned('a')]);
      const first = await begin(run, task);
      expect(first).toMatchObject({
        task: task?.id,
        run: run.record.id,
        service: 'quality',
        account: 'pai-prod',
        reuseKey: 'a/quality',
        number: 1,
        position: 0,
        call: first.id,
        isBatch: false,
        linkHash: `link-${task?.id}`,
        usage: oneCall,
        intendedAtMs: startMs,
        state: 'intent',
      });
      await run.transition([{ is: 'again', attempt: first, refusal, costsAttempt: true }]);
      const second = await begin(run, task);
      expect(second.number).toBe(2);
      expect(second.ref).not.toBe(first.ref);
    });

    test('lets the second task of a key wait, and its answer serves both', async () => {
      const run = await ledger.openRun(makeOpening());
      const tasks = await plan(run, [
        makePlanned('a', { content: 'same' }),
        makePlanned('b', { content: 'same' }),
      ]);
      const intents = await intend(run, tasks);
      expect(intents.map((intent) => intent.is)).toEqual(['intended', 'waiting']);
      if (intents[0]?.is !== 'intended') throw new Error('expected an intent');
      await answer(run, intents[0].attempt);
      const rows = await ledger.readItems(run.record.id, undefined, 10);
      expect(rows.map((row) => row.tasks[0])).toMatchObject([
        { state: 'answered', finding, units: { 'pai/basic': 1 }, charge: 10_000_000n, attempts: 1 },
        { state: 'reused', finding, units: {}, charge: 0n, attempts: 0 },
      ]);
    });

    test('gives the elements of a batch one call and their positions among those sent', async () => {
      const run = await ledger.openRun(makeOpening());
      const tasks = await plan(run, [
        makePlanned('a', { content: 'same' }),
        makePlanned('b', { content: 'same' }),
        makePlanned('c'),
      ]);
      const intents = await intend(run, tasks);
      const attempts = intents.flatMap((intent) => (intent.is === 'intended' ? [intent.attempt] : []));
      expect(attempts.map((attempt) => attempt.position)).toEqual([0, 1]);
      expect(attempts.map((attempt) => attempt.call)).toEqual([attempts[0]?.id, attempts[0]?.id]);
      expect(attempts.every((attempt) => attempt.isBatch)).toBe(true);
    });

    test('is settled without a call where the key was answered meanwhile', async () => {
      const run = await ledger.openRun(makeOpening());
      const [one, two] = await plan(run, [
        makePlanned('a', { content: 'same' }),
        makePlanned('b', { content: 'same' }),
      ]);
      await answer(run, await begin(run, one));
      expect(await intend(run, [two as Task])).toEqual([{ is: 'settled', state: 'reused' }]);
    });

    test('for a task that is under way or at its end sends nothing', async () => {
      const run = await ledger.openRun(makeOpening());
      const [task] = await plan(run, [makePlanned('a')]);
      const attempt = await begin(run, task);
      expect(await intend(run, [task as Task])).toEqual([{ is: 'waiting' }]);
      expect(await readStates(ledger, run.record.id)).toEqual(['a quality intent']);
      await answer(run, attempt);
      expect(await intend(run, [task as Task])).toEqual([{ is: 'settled', state: 'answered' }]);
    });

    test('waits for an open attempt of another pipeline, in another process', async () => {
      const other = await openOther();
      const theirs = await other.openRun(makeOpening({ pipeline: makePipeline({ name: 'weekly' }) }));
      const [task] = await plan(theirs, [makePlanned('z', { content: 'same' })]);
      const attempt = await begin(theirs, task);
      const ours = await ledger.openRun(makeOpening());
      expect(await plan(ours, [makePlanned('a', { content: 'same' })])).toEqual([]);
      expect(await ours.releaseWaiting()).toEqual({ released: 0, waiting: 1 });
      await answer(theirs, attempt);
      expect(await readStates(ledger, ours.record.id)).toEqual(['a quality reused']);
    });
  });

  describe('a transition', () => {
    let run: RunLedger;
    let task: Task;
    let twin: Task;

    beforeEach(async () => {
      run = await ledger.openRun(makeOpening());
      const [one, two] = await plan(run, [
        makePlanned('a', { content: 'same' }),
        makePlanned('b', { content: 'same' }),
      ]);
      if (!one || !two) throw new Error('expected two tasks');
      task = one;
      twin = two;
    });

    async function readTask(index = 0) {
      const rows = await ledger.readItems(run.record.id, undefined, 10);
      return rows[index]?.tasks[0];
    }

    async function readTotals() {
      const [row] = await ledger.readBill(run.record.id, prices);
      return row && [row.observed, row.estimated, row.uncertain, row.charge];
    }

    test('to accepted keeps the job, and a second job changes nothing', async () => {
      const attempt = await begin(run, task);
      await run.transition([{ is: 'accepted', attempt, job: 'job-1' }]);
      await run.transition([{ is: 'accepted', attempt, job: 'job-2' }]);
      expect(await readTask()).toMatchObject({ state: 'accepted', status: 'open', job: 'job-1' });
      expect([...(await run.readKnownJobs('pai-prod', ['job-1', 'job-2']))]).toEqual(['job-1']);
      expect([...(await run.readKnownJobs('pai-test', ['job-1']))]).toEqual([]);
    });

    test('to answered books what was used, at the time it was sent, and ends the task', async () => {
      const attempt = await begin(run, task);
      clock.nowMs += 60_000;
      await answer(run, attempt, { units: { 'pai/basic': 2 }, basis: 'estimated', assumptions: ['10 min'] });
      expect(await readTask()).toMatchObject({
        state: 'answered',
        units: { 'pai/basic': 2 },
        basis: 'estimated',
        charge: 20_000_000n,
        startedAt: '2026-11-20T02:00:00.000Z',
        endedAt: '2026-11-20T02:01:00.000Z',
        error: undefined,
        reason: '',
      });
      expect(await readTotals()).toEqual([0, 2, 0, 20_000_000n]);
      const [bill] = await ledger.readBill(run.record.id, prices);
      expect(bill?.assumptions).toEqual({ '10 min': 1 });
    });

    test('to failed fails those that wait with the same words', async () => {
      const attempt = await begin(run, task);
      await intend(run, [twin]);
      await run.transition([{ is: 'failed', attempt, refusal, isRemembered: false, booked: oneCall }]);
      expect(await readTask()).toMatchObject({ state: 'failed', units: { 'pai/basic': 1 }, attempts: 1 });
      expect(await readTask(1)).toMatchObject({
        state: 'failed',
        reason: 'media-unreadable',
        error: { message: 'cannot open the file' },
        units: {},
      });
      expect(await ledger.countTasks(run.record.id)).toEqual([
        { service: 'quality', state: 'failed', reason: 'media-unreadable', count: 2 },
      ]);
    });

    test('to failed without remembering lets the next run try', async () => {
      const attempt = await begin(run, task);
      await run.transition([{ is: 'failed', attempt, refusal, isRemembered: false }]);
      const next = await ledger.openRun(makeOpening({ startNew: true }));
      expect(await plan(next, [makePlanned('a', { content: 'same' })])).toHaveLength(1);
    });

    test('to answered forgets an earlier failure of the key', async () => {
      const failed = await begin(run, task);
      await run.transition([{ is: 'failed', attempt: failed, refusal, isRemembered: true }]);
      clock.nowMs += 2 * hourMs;
      const reuse = { retryFailedAfterMs: hourMs };
      const later = await ledger.openRun(
        makeOpening({ startNew: true, nowMs: clock.nowMs, pipeline: makePipeline({ reuse }) }),
      );
      const [again] = await plan(later, [makePlanned('a', { content: 'same' })]);
      await answer(later, await begin(later, again));
      const patient = makePipeline({ reuse: { maxAgeMs: 1 } });
      clock.nowMs += 1000;
      const last = await ledger.openRun(
        makeOpening({ startNew: true, nowMs: clock.nowMs, pipeline: patient }),
      );
      expect(await plan(last, [makePlanned('a', { content: 'same' })])).toHaveLength(1);
    });

    test('to held counts the units as uncertain, outside the charge, and holds those that wait', async () => {
      const attempt = await begin(run, task);
      await intend(run, [twin]);
      await run.transition([{ is: 'held', attempt, cause: 'timed out' }]);
      expect(await readTotals()).toEqual([0, 0, 1, 0n]);
      expect(await readTask()).toMatchObject({
        state: 'held',
        reason: 'unknown-fate',
        units: {},
        basis: 'uncertain',
        charge: 0n,
        error: { message: 'timed out' },
      });
      expect(await readTask(1)).toMatchObject({ state: 'held' });
      expect(await run.quote('pai-prod', { 'pai/basic': 1 }, startMs)).toBe(10_000_000n);
    });

    test('to resend counts the units as uncertain and lets the task be sent under a new number', async () => {
      const attempt = await begin(run, task);
      await run.transition([{ is: 'resend', attempt, cause: 'timed out' }]);
      const [ready] = await run.readReady('quality', 0, 1);
      expect(ready).toMatchObject({ id: task.id, resends: 1, attempts: 0 });
      expect((await begin(run, ready)).number).toBe(2);
      expect(await readTotals()).toEqual([0, 0, 1, 0n]);
    });

    test('to unsent leaves no trace, and number and reference are used again', async () => {
      const attempt = await begin(run, task);
      await run.transition([{ is: 'unsent', attempt, cause: 'ECONNREFUSED' }]);
      expect(await readTask()).toMatchObject({ state: 'planned', attempts: 0 });
      const next = await begin(run, task);
      expect([next.number, next.ref]).toEqual([1, attempt.ref]);
      expect(next.id).not.toBe(attempt.id);
      await run.transition([{ is: 'held', attempt, cause: 'late' }]);
      expect(await readTask()).toMatchObject({ state: 'intent' });
    });

    test('to unsent of a job that the vendor took is not believed', async () => {
      const attempt = await begin(run, task);
      await run.transition([{ is: 'accepted', attempt, job: 'job-1' }]);
      await run.transition([{ is: 'unsent', attempt, cause: 'ECONNREFUSED' }]);
      expect(await readTask()).toMatchObject({ state: 'accepted', job: 'job-1' });
    });

    test.each([
      { costsAttempt: true, attempts: 1 },
      { costsAttempt: false, attempts: 0 },
    ])('to again with costsAttempt $costsAttempt leaves $attempts attempts behind', async ({
      costsAttempt,
      attempts,
    }) => {
      const attempt = await begin(run, task);
      await run.transition([{ is: 'again', attempt, refusal, costsAttempt, booked: oneCall }]);
      const [ready] = await run.readReady('quality', 0, 1);
      expect(ready).toMatchObject({ id: task.id, attempts, resends: 0 });
      expect(await readTotals()).toEqual([1, 0, 0, 10_000_000n]);
      expect(await readTask()).toMatchObject({ attempts: 1, error: { message: 'cannot open the file' } });
    });

    test('releases those that wait once the attempt came to nothing', async () => {
      const attempt = await begin(run, task);
      await intend(run, [twin]);
      expect(await run.releaseWaiting()).toEqual({ released: 0, waiting: 1 });
      await run.transition([{ is: 'unsent', attempt, cause: 'ECONNREFUSED' }]);
      expect(await run.releaseWaiting()).toEqual({ released: 1, waiting: 0 });
      expect(await run.readReady('quality', 0, 10)).toHaveLength(2);
    });

    test('of a closed attempt changes nothing', async () => {
      const attempt = await begin(run, task);
      await answer(run, attempt);
      const before = [await readTask(), await readTotals()];
      await answer(run, attempt);
      await run.transition([
        { is: 'accepted', attempt, job: 'job-1' },
        { is: 'failed', attempt, refusal, isRemembered: true, booked: oneCall },
        { is: 'held', attempt, cause: 'late' },
        { is: 'resend', attempt, cause: 'late' },
        { is: 'again', attempt, refusal, costsAttempt: true },
        { is: 'unsent', attempt, cause: 'late' },
      ]);
      expect([await readTask(), await readTotals()]).toEqual(before);
    });
  });

  describe('orphans', () => {
    test('are the open attempts that earlier sessions of the pipeline left, in pages', async () => {
      const first = await ledger.openRun(makeOpening());
      const tasks = await plan(first, [makePlanned('a'), makePlanned('b'), makePlanned('c')]);
      const attempts = await Promise.all(tasks.map((task) => begin(first, task)));
      const [one, two, three] = attempts;
      if (!one || !two || !three) throw new Error('expected three attempts');
      await first.transition([{ is: 'accepted', attempt: two, job: 'job-2' }]);
      await answer(first, three);
      const second = await ledger.openRun(makeOpening({ startNew: true }));
      for (const task of await plan(second, [makePlanned('d'), makePlanned('e')])) await begin(second, task);
      expect(await second.readOrphans(0, 1)).toEqual([one]);
      expect(await second.readOrphans(one.id, 10)).toEqual([{ ...two, state: 'accepted', job: 'job-2' }]);
      const weekly = await ledger.openRun(makeOpening({ pipeline: makePipeline({ name: 'weekly' }) }));
      expect(await weekly.readOrphans(0, 10)).toEqual([]);
    });

    test('of a batch still know their call and their place in it', async () => {
      const first = await ledger.openRun(makeOpening());
      const tasks = await plan(first, [makePlanned('a'), makePlanned('b')]);
      const intents = await intend(first, tasks);
      const second = await ledger.openRun(makeOpening());
      expect((await second.readOrphans(0, 10)).map((attempt) => ({ is: 'intended', attempt }))).toEqual(
        intents,
      );
    });

    test('of a stand-in are not looked for at the vendor', async () => {
      const first = await ledger.openRun(makeOpening({ pipeline: makePipeline({ isLoopback: true }) }));
      const [task] = await plan(first, [makePlanned('a')]);
      await begin(first, task);
      const second = await ledger.openRun(makeOpening({ startNew: true }));
      expect(await second.readOrphans(0, 10)).toEqual([]);
    });

    test('that are answered serve the new run, and the old run pays', async () => {
      const first = await ledger.openRun(makeOpening());
      const [task] = await plan(first, [makePlanned('a')]);
      await begin(first, task);
      const second = await ledger.openRun(makeOpening({ startNew: true }));
      expect(await plan(second, [makePlanned('a')])).toEqual([]);
      const [orphan] = await second.readOrphans(0, 10);
      if (!orphan) throw new Error('expected an orphan');
      await answer(second, orphan);
      expect(await readStates(ledger, first.record.id)).toEqual(['a quality answered']);
      expect(await readStates(ledger, second.record.id)).toEqual(['a quality reused']);
      expect(await ledger.readBill(first.record.id, prices)).toMatchObject([{ observed: 1 }]);
      expect(await ledger.readBill(second.record.id, prices)).toEqual([]);
    });

    test('that are answered do not serve a run that disregards others', async () => {
      const first = await ledger.openRun(makeOpening());
      const [task] = await plan(first, [makePlanned('a')]);
      await begin(first, task);
      const pipeline = makePipeline({ reuse: { by: 'never' } });
      const second = await ledger.openRun(makeOpening({ startNew: true, pipeline }));
      expect(await plan(second, [makePlanned('a')])).toEqual([]);
      const [orphan] = await second.readOrphans(0, 10);
      if (!orphan) throw new Error('expected an orphan');
      await answer(second, orphan);
      expect((await second.readReady('quality', 0, 10)).map((ready) => ready.reuseKey)).toEqual([
        'a/quality',
      ]);
    });

    test('that came to nothing let the new run send its own', async () => {
      const first = await ledger.openRun(makeOpening());
      const [task] = await plan(first, [makePlanned('a')]);
      await begin(first, task);
      const second = await ledger.openRun(makeOpening({ startNew: true }));
      await plan(second, [makePlanned('a')]);
      const [orphan] = await second.readOrphans(0, 10);
      if (!orphan) throw new Error('expected an orphan');
      await second.transition([{ is: 'unsent', attempt: orphan, cause: 'not in two complete listings' }]);
      expect(await second.releaseWaiting()).toEqual({ released: 1, waiting: 0 });
      const [ready] = await second.readReady('quality', 0, 10);
      expect(await begin(second, ready)).toMatchObject({ number: 1, ref: orphan.ref });
    });
  });

  describe('a fresh run', () => {
    const open = (changes: Parameters<typeof makeOpening>[0] = {}) => ledger.openRun(makeOpening(changes));

    test('disregards the answers of other runs, and never its own', async () => {
      await fillKeys();
      const fresh = await open({ isFresh: true });
      const [task] = await plan(fresh, [makePlanned('a')]);
      await answer(fresh, await begin(fresh, task));
      expect(await plan(fresh, [makePlanned('a2', { content: 'a' })])).toEqual([]);
      expect(await readStates(ledger, fresh.record.id)).toEqual(['a quality answered', 'a2 quality reused']);
    });

    test('still remembers failures and held calls', async () => {
      await fillKeys();
      const fresh = await open({ isFresh: true });
      expect(await plan(fresh, [makePlanned('b'), makePlanned('c')])).toEqual([]);
    });

    test('stays fresh when it is gone on with, asked for or not', async () => {
      await fillKeys();
      const fresh = await open({ isFresh: true });
      await end(fresh, 'stopped');
      const again = await open();
      expect(again.record.id).toBe(fresh.record.id);
      expect(await plan(again, [makePlanned('a')])).toHaveLength(1);
    });

    test('does not go on with a run that was not', async () => {
      await end(await open(), 'stopped');
      expect((await open({ isFresh: true })).isResumed).toBe(false);
    });
  });

  describe('a run of what failed', () => {
    test('reads the items with failed and held tasks, with the services of these', async () => {
      const run = await ledger.openRun(makeOpening());
      const services = ['quality', 'labels'];
      const tasks = await plan(run, [
        makePlanned('a', { services }),
        makePlanned('b', { services }),
        makePlanned('c'),
      ]);
      const attempts = await Promise.all(tasks.map((task) => begin(run, task)));
      const [one, two, three, four, five] = attempts;
      if (!one || !two || !three || !four || !five) throw new Error('expected five attempts');
      await answer(run, one);
      await answer(run, five);
      await run.transition([
        { is: 'failed', attempt: two, refusal, isRemembered: true },
        { is: 'failed', attempt: three, refusal, isRemembered: false },
        { is: 'held', attempt: four, cause: 'timeout' },
      ]);
      const read = async (after?: Uint8Array, limit = 10) =>
        (await ledger.readTroubled(run.record.id, after, limit)).map(({ id, onlyServices }) => [
          id,
          onlyServices,
        ]);
      expect(await read()).toEqual([
        ['media/a', ['labels']],
        ['media/b', ['quality', 'labels']],
      ]);
      expect(await read(undefined, 1)).toHaveLength(1);
      expect(await read(makeItem('a').position)).toEqual([['media/b', ['quality', 'labels']]]);
      expect(await ledger.readTroubled('no such run', undefined, 10)).toEqual([]);
    });

    test('sends remembered failures again, leaves held calls held, and remembers its own failures', async () => {
      const run = await fillKeys();
      const again = await ledger.openRun(makeOpening({ onlyFailed: run.record.id }));
      expect(again.record.onlyFailed).toBe(run.record.id);
      const [task, ...rest] = await plan(again, [makePlanned('b'), makePlanned('c')]);
      expect(rest).toEqual([]);
      clock.nowMs += 1000;
      const attempt = await begin(again, task);
      await again.transition([{ is: 'failed', attempt, refusal, isRemembered: true }]);
      expect(await plan(again, [makePlanned('b2', { content: 'b' })])).toEqual([]);
      expect(await readStates(ledger, again.record.id)).toEqual([
        'b quality failed',
        'b2 quality failed',
        'c quality held',
      ]);
    });

    test('is gone on with by the same wish only', async () => {
      const run = await fillKeys();
      const again = await ledger.openRun(makeOpening({ onlyFailed: run.record.id }));
      await end(again, 'stopped');
      const third = await ledger.openRun(makeOpening({ onlyFailed: run.record.id }));
      expect(third.record.id).toBe(again.record.id);
      await end(third, 'stopped');
      const whole = await ledger.openRun(makeOpening());
      expect(whole.isResumed).toBe(false);
      expect((await ledger.findRun(again.record.id))?.state).toBe('superseded');
    });
  });

  describe('held calls', () => {
    const next = () => ledger.openRun(makeOpening({ startNew: true }));

    test('are listed with what is known of them', async () => {
      const run = await fillKeys();
      expect(await ledger.listHeld(undefined)).toEqual([
        {
          reuseKey: 'c/quality',
          item: 'media/c',
          tasks: 1,
          service: 'quality',
          account: 'pai-prod',
          pipeline: 'nightly',
          run: run.record.id,
          cause: 'read ECONNRESET',
          sentAt: '2026-11-20T02:00:00.000Z',
          units: { 'pai/basic': 1 },
          isAskedAgain: false,
        },
      ]);
    });

    test.each([
      ['a reuse key', ['c/quality'], 1],
      ['an item', ['media/c'], 1],
      ['a pattern', ['media/*'], 1],
      ['a word for each letter', ['media/?'], 1],
      ['any of several words', ['nothing', 'media/c'], 1],
      ['another item', ['media/a'], 0],
      ['a part of an item', ['media'], 0],
      ['no word', [], 0],
    ])('are found by %s', async (_, selection, count) => {
      await fillKeys();
      expect(await ledger.listHeld(selection)).toHaveLength(count);
      expect(await ledger.settleHeld(selection, 'resend')).toHaveLength(count);
      expect(await ledger.listHeld(undefined)).toHaveLength(1 - count);
    });

    test('to be sent again are sent by the next run under a new number, and the old units stay uncertain', async () => {
      const run = await fillKeys();
      expect(await ledger.settleHeld(undefined, 'resend')).toEqual(['c/quality']);
      const second = await next();
      const [task] = await plan(second, [makePlanned('c')]);
      expect(await begin(second, task)).toMatchObject({ number: 2 });
      expect(await readStates(ledger, run.record.id)).toContain('c quality held');
      expect(await ledger.readBill(run.record.id, prices)).toMatchObject([{ uncertain: 1 }]);
    });

    test('that are forgotten fail in the next run without a call, and are remembered as such', async () => {
      const run = await fillKeys();
      expect(await ledger.settleHeld(['media/c'], 'forget')).toEqual(['c/quality']);
      const second = await next();
      expect(await plan(second, [makePlanned('c')])).toEqual([]);
      const [row] = await ledger.readItems(second.record.id, undefined, 10);
      expect(row?.tasks[0]).toMatchObject({
        state: 'failed',
        reason: 'forgotten',
        error: { message: 'held, and forgotten by a person: read ECONNRESET' },
      });
      // A person said that it never arrived: no cap and no column counts it any more.
      expect(await ledger.readBill(run.record.id, prices)).toMatchObject([{ uncertain: 0 }]);
      expect((await ledger.listFailed(['media/c'])).map(({ error }) => error.class)).toEqual(['forgotten']);
    });

    test.each([
      { how: 'resend' as const, state: 'planned', intent: 'intended' },
      { how: 'forget' as const, state: 'planned', intent: 'settled' },
    ])('of a run that is gone on with are taken up there ($how)', async ({ how, state, intent }) => {
      const first = await ledger.openRun(makeOpening());
      const [task] = await plan(first, [makePlanned('a')]);
      await first.transition([{ is: 'held', attempt: await begin(first, task), cause: 'timeout' }]);
      await end(first, 'stopped');
      await ledger.settleHeld(undefined, how);
      const second = await ledger.openRun(makeOpening());
      expect(second.isResumed).toBe(true);
      expect(await readStates(ledger, second.record.id)).toEqual([`a quality ${state}`]);
      const ready = await second.readReady('quality', 0, 10);
      expect((await intend(second, ready)).map(({ is }) => is)).toEqual([intent]);
    });
  });

  describe('remembered failures', () => {
    test('are listed with the item, the error and the time, until they are acknowledged', async () => {
      const run = await fillKeys();
      const row = {
        reuseKey: 'b/quality',
        item: 'media/b',
        tasks: 1,
        service: 'quality',
        account: 'pai-prod',
        pipeline: 'nightly',
        run: run.record.id,
        error: {
          class: 'media-unreadable',
          code: 'InvalidImage',
          httpStatus: 400,
          message: 'cannot open the file',
        },
        failedAt: '2026-11-20T02:00:00.000Z',
      };
      expect(await ledger.listFailed(undefined)).toEqual([row]);
      clock.nowMs += hourMs;
      expect(await ledger.acknowledgeFailed(['media/b'])).toEqual(['b/quality']);
      expect(await ledger.acknowledgeFailed(undefined)).toEqual([]);
      expect(await ledger.listFailed(undefined)).toEqual([
        { ...row, acknowledgedAt: '2026-11-20T03:00:00.000Z' },
      ]);
    });

    test('that are acknowledged still fail their tasks, and are counted apart', async () => {
      const run = await fillKeys();
      expect(await ledger.countAcknowledged(run.record.id)).toBe(0);
      await ledger.acknowledgeFailed(undefined);
      const second = await ledger.openRun(makeOpening({ startNew: true }));
      expect(await plan(second, [makePlanned('b')])).toEqual([]);
      expect(await readStates(ledger, second.record.id)).toEqual(['b quality failed']);
      expect(await ledger.countAcknowledged(second.record.id)).toBe(1);
    });

    test('that happen anew have to be acknowledged anew', async () => {
      await fillKeys();
      await ledger.acknowledgeFailed(undefined);
      const pipeline = makePipeline({ reuse: { retryFailedAfterMs: 1 } });
      clock.nowMs += hourMs;
      const second = await ledger.openRun(makeOpening({ startNew: true, pipeline, nowMs: clock.nowMs }));
      const [task] = await plan(second, [makePlanned('b')]);
      const attempt = await begin(second, task);
      await second.transition([{ is: 'failed', attempt, refusal, isRemembered: true }]);
      expect(await ledger.countAcknowledged(second.record.id)).toBe(0);
    });
  });

  describe('attempts to ask for again', () => {
    const services = [{ service: 'quality', account: 'pai-prod' }];
    const next = (changes: Parameters<typeof makeOpening>[0] = {}) =>
      ledger.openRun(makeOpening({ startNew: true, nowMs: clock.nowMs, ...changes }));

    async function holdOne(isAskable = true) {
      const run = await ledger.openRun(makeOpening());
      const [task] = await plan(run, [makePlanned('a')]);
      const attempt = await begin(run, task);
      await run.transition([{ is: 'held', attempt, cause: 'no list', isAskable }]);
      return { run, attempt };
    }

    async function giveUpOne(changes: { readonly booked?: typeof oneCall } = {}) {
      const run = await ledger.openRun(makeOpening());
      const [task] = await plan(run, [makePlanned('a')]);
      const attempt = await begin(run, task);
      await run.transition([{ is: 'accepted', attempt, job: 'job-1' }]);
      const late = { ...refusal, class: 'deadline' };
      await run.transition([
        { is: 'failed', attempt, refusal: late, isRemembered: true, isAskable: true, ...changes },
      ]);
      await end(run);
      return { run, attempt };
    }

    test('that are held are open again, their units are taken back, and tasks wait for their end', async () => {
      const { run, attempt } = await holdOne();
      await end(run);
      const second = await next();
      expect(await second.reopenAskable(services)).toBe(1);
      expect(await second.readOrphans(0, 10)).toEqual([attempt]);
      expect(await ledger.listHeld(undefined)).toEqual([]);
      expect(await ledger.readBill(run.record.id, prices)).toMatchObject([
        { uncertain: 0, isComplete: true },
      ]);
      expect(await plan(second, [makePlanned('a')])).toEqual([]);
      await answer(second, attempt);
      expect(await readStates(ledger, run.record.id)).toEqual(['a quality answered']);
      expect(await readStates(ledger, second.record.id)).toEqual(['a quality reused']);
    });

    test('that never arrived leave the run that ended with a failure, and are sent by the next', async () => {
      const { run, attempt } = await holdOne();
      await end(run);
      const second = await next();
      await second.reopenAskable(services);
      await plan(second, [makePlanned('a')]);
      await second.transition([{ is: 'unsent', attempt, cause: 'in no job' }]);
      expect(await readStates(ledger, run.record.id)).toEqual(['a quality failed']);
      expect(await second.releaseWaiting()).toEqual({ released: 1, waiting: 0 });
      const [ready] = await second.readReady('quality', 0, 10);
      expect(await begin(second, ready)).toMatchObject({ number: 1, ref: attempt.ref });
    });

    test('of the run that is gone on with have all its tasks wait', async () => {
      const { run, attempt } = await holdOne();
      expect(await plan(run, [makePlanned('b', { content: 'a' })])).toEqual([]);
      await end(run, 'stopped');
      const second = await ledger.openRun(makeOpening());
      await second.reopenAskable(services);
      expect(await readStates(ledger, second.record.id)).toEqual(['a quality intent', 'b quality waiting']);
      await second.transition([{ is: 'held', attempt, cause: 'no list', isAskable: true }]);
      expect(await readStates(ledger, second.record.id)).toEqual(['a quality held', 'b quality held']);
      expect(await ledger.readBill(second.record.id, prices)).toMatchObject([{ uncertain: 1 }]);
    });

    test.each<
      [
        string,
        () => Promise<unknown>,
        Parameters<typeof makeOpening>[0],
        readonly (typeof services)[number][],
      ]
    >([
      ['nobody can ask for', () => holdOne(false), {}, services],
      [
        'belong to another pipeline',
        () => holdOne(),
        { pipeline: makePipeline({ name: 'weekly' }) },
        services,
      ],
      ['a service sent that is not asked', () => holdOne(), {}, [{ service: 'labels', account: 'pai-prod' }]],
      [
        'a stand-in would be asked for',
        () => holdOne(),
        { pipeline: makePipeline({ isLoopback: true }) },
        services,
      ],
      [
        'were settled',
        async () => [await holdOne(), await ledger.settleHeld(undefined, 'forget')],
        {},
        services,
      ],
    ])('that %s stay closed', async (_, prepare, opening, asked) => {
      await prepare();
      const second = await next(opening);
      expect(await second.reopenAskable(asked)).toBe(0);
      expect(await second.readOrphans(0, 10)).toEqual([]);
    });

    test('that were given up are jobs again, and what was booked for them is not booked twice', async () => {
      const { run, attempt } = await giveUpOne({ booked: oneCall });
      const second = await next();
      expect(await second.reopenAskable(services)).toBe(1);
      expect(await second.readOrphans(0, 10)).toEqual([{ ...attempt, state: 'accepted', job: 'job-1' }]);
      expect(await plan(second, [makePlanned('a')])).toEqual([]);
      await answer(second, attempt, { units: { 'pai/basic': 3 }, basis: 'observed' });
      expect(await readStates(ledger, second.record.id)).toEqual(['a quality reused']);
      expect(await ledger.readBill(run.record.id, prices)).toMatchObject([
        { observed: 3, charge: 30_000_000n },
      ]);
    });

    test('that were given up and are again failed when they did first, acknowledged or not', async () => {
      const { attempt } = await giveUpOne();
      const [before] = await ledger.listFailed(undefined);
      await ledger.acknowledgeFailed(undefined);
      clock.nowMs += hourMs;
      const second = await next();
      await second.reopenAskable(services);
      await second.transition([{ is: 'failed', attempt, refusal, isRemembered: true, isAskable: true }]);
      const [after] = await ledger.listFailed(undefined);
      expect(after).toMatchObject({ failedAt: before?.failedAt, acknowledgedAt: '2026-11-20T02:00:00.000Z' });
    });

    test('that were given up let a run go ahead which no longer remembers that', async () => {
      const { run, attempt } = await giveUpOne();
      clock.nowMs += hourMs;
      const second = await next({ onlyFailed: run.record.id });
      await second.reopenAskable(services);
      expect(await plan(second, [makePlanned('a')])).toEqual([]);
      await second.transition([{ is: 'failed', attempt, refusal, isRemembered: true, isAskable: true }]);
      const [ready] = await second.readReady('quality', 0, 10);
      expect(await begin(second, ready)).toMatchObject({ number: 2 });
    });

    test('of other pipelines are found by the tasks that wait for them', async () => {
      const first = await ledger.openRun(makeOpening({ pipeline: makePipeline({ name: 'weekly' }) }));
      const [task, other] = await plan(first, [makePlanned('a'), makePlanned('b')]);
      const attempt = await begin(first, task);
      await begin(first, other);
      const second = await next();
      expect(await second.readWaitedFor(10)).toEqual([]);
      expect(await plan(second, [makePlanned('a'), makePlanned('a2', { content: 'a' })])).toEqual([]);
      expect(await second.readWaitedFor(10)).toEqual([{ owner: 'weekly', attempt }]);
      expect(await first.readWaitedFor(10)).toEqual([]);
    });
  });

  describe('pruning', () => {
    test('takes old runs out, and keeps answers, failures, held calls, bills and the latest run', async () => {
      const first = await fillKeys();
      clock.nowMs += hourMs;
      const second = await ledger.openRun(makeOpening({ startNew: true, nowMs: clock.nowMs }));
      await plan(second, [makePlanned('a')]);
      await end(second);
      const bill = await ledger.readBill(first.record.id, prices);
      expect(await ledger.prune(clock.nowMs + 1)).toMatchObject({ runs: 1, items: 1, tasks: 1, replies: 1 });
      expect(await ledger.findRun(first.record.id)).toMatchObject({ isPruned: true, counters: { items: 3 } });
      expect((await ledger.findRun(second.record.id))?.isPruned).toBeUndefined();
      expect(await readStates(ledger, second.record.id)).toEqual(['a quality reused']);
      expect(await ledger.readBill(first.record.id, prices)).toEqual(bill);
      expect(await ledger.listHeld(undefined)).toMatchObject([{ item: 'media/c' }]);
      expect(await ledger.listFailed(undefined)).toMatchObject([{ item: 'media/b' }]);
      const third = await ledger.openRun(makeOpening({ startNew: true, nowMs: clock.nowMs }));
      expect(await plan(third, [makePlanned('a'), makePlanned('b'), makePlanned('c')])).toEqual([]);
      expect(await ledger.prune(clock.nowMs)).toMatchObject({ runs: 0, items: 0 });
    });

    test('keeps what is open at a vendor, so that a later run still ends it', async () => {
      const first = await ledger.openRun(makeOpening());
      const [task] = await plan(first, [makePlanned('a'), makePlanned('b')]);
      const attempt = await begin(first, task);
      const second = await ledger.openRun(makeOpening({ startNew: true }));
      expect(await ledger.prune(startMs + 1)).toMatchObject({ runs: 1, items: 1, tasks: 1 });
      expect(await second.readOrphans(0, 10)).toEqual([attempt]);
      await answer(second, attempt);
      expect(await plan(second, [makePlanned('a')])).toEqual([]);
    });
  });

  describe('money', () => {
    async function answerAll(run: RunLedger, keys: readonly string[], atMs = startMs) {
      const tasks = await plan(
        run,
        keys.map((key) => makePlanned(key)),
      );
      for (const task of tasks) await answer(run, await begin(run, task, atMs));
    }

    test('goes by graduated tiers over runs, and a quote books nothing', async () => {
      const first = await ledger.openRun(makeOpening());
      await answerAll(first, ['a', 'b']);
      expect(await first.quote('pai-prod', { 'pai/basic': 2 }, startMs)).toBe(15_000_000n);
      expect(await first.quote('pai-prod', { 'pai/basic': 2 }, startMs)).toBe(15_000_000n);
      const second = await ledger.openRun(makeOpening({ startNew: true }));
      await answerAll(second, ['c', 'd', 'e']);
      expect(await ledger.readBill(second.record.id, prices)).toMatchObject([
        { charge: 20_000_000n, observed: 3, currency: 'CNY', unit: 'call', vendor: 'pai' },
      ]);
    });

    test('goes by the month in which a call was sent, in the price book’s zone', async () => {
      const run = await ledger.openRun(makeOpening());
      const firstOfDecember = Date.parse('2026-11-30T16:00:00Z');
      await answerAll(run, ['a', 'b', 'c'], firstOfDecember);
      expect(await run.quote('pai-prod', { 'pai/basic': 1 }, firstOfDecember)).toBe(5_000_000n);
      expect(await run.quote('pai-prod', { 'pai/basic': 1 }, firstOfDecember - 1)).toBe(10_000_000n);
    });

    test('of a run across midnight of the month’s end is of both months, each with tiers of its own', async () => {
      const run = await ledger.openRun(makeOpening());
      const firstOfDecember = Date.parse('2026-11-30T16:00:00Z');
      const tasks = await plan(
        run,
        ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((key) => makePlanned(key)),
      );
      const attempts: Attempt[] = [];
      for (const [index, task] of tasks.entries())
        attempts.push(await begin(run, task, firstOfDecember - 4 + index));
      // Sent in November, answered in December: November's all the same, whichever comes first.
      clock.nowMs = firstOfDecember + hourMs;
      for (const attempt of attempts.toReversed()) await answer(run, attempt);
      // Four a month: three at 0.01, one at 0.005.
      expect(await ledger.readBill(run.record.id, prices)).toMatchObject([
        { observed: 8, charge: 70_000_000n },
      ]);
    });

    test('charges a month’s volume the same over any runs, a billing increment that was begun whole', async () => {
      const basic = prices.skus.get('pai/basic');
      if (!basic) throw new Error('expected a price');
      const book = { ...prices, skus: new Map([['pai/basic', { ...basic, increment: 4 }]]) };
      const charges: (bigint | undefined)[] = [];
      for (const keys of [['a'], ['b', 'c', 'd'], ['e', 'f']]) {
        const run = await ledger.openRun(
          makeOpening({ pipeline: makePipeline({ prices: book }), startNew: true }),
        );
        await answerAll(run, keys);
        charges.push((await ledger.readBill(run.record.id, book))[0]?.charge);
      }
      // Eight are billed: three at 0.01, five at 0.005.
      expect(charges).toEqual([35_000_000n, 0n, 20_000_000n]);
    });

    test('keeps what an answer proved apart from what stays an estimate', async () => {
      const run = await ledger.openRun(makeOpening());
      const units = { 'pai/basic': 10, 'pai/advanced': 10 };
      const usage: Usage = { units, basis: 'estimated', assumptions: ['10 min long'] };
      const [task] = await plan(run, [makePlanned('a', { usage })]);
      const attempt = await begin(run, task);
      await answer(run, attempt, settleUsage(usage, { 'pai/basic': 12, 'pai/advanced': 2 }, false));
      const assumptions = { '10 min long': 1 };
      expect(await ledger.readBill(run.record.id, prices)).toMatchObject([
        { sku: 'pai/advanced', observed: 0, estimated: 10, assumptions },
        { sku: 'pai/basic', observed: 12, estimated: 0, assumptions: {} },
      ]);
    });

    test('of a stand-in is kept apart', async () => {
      const run = await ledger.openRun(makeOpening({ pipeline: makePipeline({ isLoopback: true }) }));
      await answerAll(run, ['a', 'b', 'c']);
      expect(await run.quote('pai-prod', { 'pai/basic': 1 }, startMs)).toBe(5_000_000n);
      const real = await ledger.openRun(makeOpening({ pipeline: makePipeline({ name: 'weekly' }) }));
      expect(await real.quote('pai-prod', { 'pai/basic': 1 }, startMs)).toBe(10_000_000n);
    });

    test('counts what the ledger cannot know', async () => {
      const run = await ledger.openRun(
        makeOpening({ billing: makeBilling({ usedThisMonth: { '2026-11': 3 } }) }),
      );
      await answerAll(run, ['a']);
      expect(await ledger.readBill(run.record.id, prices)).toMatchObject([{ charge: 5_000_000n }]);
    });

    test('without a price is incomplete, never zero in silence', async () => {
      const run = await ledger.openRun(makeOpening());
      const usage = { units: { 'pai/advanced': 4 }, basis: 'observed' as const };
      const [task] = await plan(run, [makePlanned('a', { usage })]);
      await answer(run, await begin(run, task));
      expect(await run.quote('pai-prod', usage.units, startMs)).toBeUndefined();
      expect(await ledger.readBill(run.record.id, prices)).toMatchObject([
        { sku: 'pai/advanced', observed: 4, charge: 0n, isComplete: false },
      ]);
    });

    test('is exact beyond what a number holds', async () => {
      const price = 9_007_199_254_740_993n;
      const skus = new Map([
        [
          'pai/basic',
          {
            sku: 'pai/basic',
            unit: 'call',
            per: 1,
            tiers: [{ price }],
            currency: 'CNY',
            timezone: 'Asia/Shanghai',
          },
        ],
      ]);
      const pipeline = makePipeline({ prices: { ...prices, skus } });
      const run = await ledger.openRun(makeOpening({ pipeline }));
      await answerAll(run, ['a', 'b']);
      const [bill] = await ledger.readBill(run.record.id, pipeline.prices);
      expect(bill?.charge).toBe(2n * price);
      const [row] = await ledger.readItems(run.record.id, undefined, 1);
      expect(row?.tasks[0]?.charge).toBe(price);
    });
  });

  describe('a service with a condition', () => {
    const both = ['labels', 'quality'];
    const below = (value: number): Condition => ({
      service: 'quality',
      metric: 'iqa_result',
      is: { comparator: '<', value },
    });
    const open = (when: Condition, changes: Partial<Parameters<typeof makeOpening>[0]> = {}) =>
      ledger.openRun(makeOpening({ pipeline: makePipeline({ when }), ...changes }));
    const reasons = async (run: RunLedger) =>
      (await ledger.countTasks(run.record.id)).map(({ service, state, reason, count }) =>
        `${count} ${service} ${state} ${reason}`.trim(),
      );

    test('has its task wait for the other’s answer, which lets it go in its own commit', async () => {
      const run = await open(below(80));
      const tasks = await plan(run, [makePlanned('a', { services: both })]);
      expect(tasks.map(({ service }) => service)).toEqual(['quality']);
      expect(await reasons(run)).toEqual(['1 quality planned', '1 labels pending']);
      expect(await run.readReady('labels', 0, 10)).toEqual([]);
      const released = await answer(run, await begin(run, tasks[0]));
      expect(released).toMatchObject([{ service: 'labels', item: { id: 'media/a' }, reuseKey: 'a/labels' }]);
      expect(await run.readReady('labels', 0, 10)).toEqual(released);
      await answer(run, await begin(run, released[0]));
      expect(await reasons(run)).toEqual(['1 quality answered', '1 labels answered']);
    });

    test('is skipped where it does not hold, and says what it would have used', async () => {
      const run = await open(below(60));
      const [task] = await plan(run, [makePlanned('a', { services: both })]);
      expect(await answer(run, await begin(run, task))).toEqual([]);
      expect(await reasons(run)).toEqual([
        '1 quality answered',
        '1 labels skipped when: quality iqa_result < 60 does not hold',
      ]);
      const [row] = await ledger.readItems(run.record.id, undefined, 10);
      expect(row?.tasks.map(({ spared }) => spared)).toEqual([undefined, oneCall.units]);
    });

    test('is decided while planning where the other’s answer is known, and reuses its own', async () => {
      const first = await open(below(80));
      const [task] = await plan(first, [makePlanned('a', { services: both })]);
      const [released] = await answer(first, await begin(first, task));
      await answer(first, await begin(first, released));
      const second = await open(below(80), { startNew: true });
      expect(await plan(second, [makePlanned('a', { services: both })])).toEqual([]);
      expect(await reasons(second)).toEqual(['1 quality reused', '1 labels reused']);
      const third = await open(below(60), { startNew: true });
      expect(await plan(third, [makePlanned('a', { services: both })])).toEqual([]);
      expect(await reasons(third)).toEqual([
        '1 quality reused',
        '1 labels skipped when: quality iqa_result < 60 does not hold',
      ]);
    });

    test('is skipped where the other does not apply', async () => {
      const run = await open(below(80));
      expect(await plan(run, [makePlanned('a', { services: ['labels'] })])).toEqual([]);
      expect(await reasons(run)).toEqual(['1 labels skipped when: quality does not apply']);
    });

    test('is skipped where the other fails, and taken up with it by a run of what failed', async () => {
      const run = await open(below(80));
      const [task] = await plan(run, [makePlanned('a', { services: both }), makePlanned('b')]);
      const attempt = await begin(run, task);
      await run.transition([{ is: 'failed', attempt, refusal, isRemembered: true }]);
      expect(await reasons(run)).toContain('1 labels skipped when: quality has no answer (failed)');
      const troubled = await ledger.readTroubled(run.record.id, undefined, 10);
      expect(troubled.map(({ id, onlyServices }) => [id, onlyServices?.toSorted()])).toEqual([
        ['media/a', ['labels', 'quality']],
      ]);
    });

    test('waits on in a session that goes on, and is let go there', async () => {
      const first = await open(below(80));
      const [task] = await plan(first, [makePlanned('a', { services: both })]);
      await begin(first, task);
      const second = await open(below(80));
      expect(second.isResumed).toBe(true);
      const [orphan] = await second.readOrphans(0, 10);
      if (!orphan) throw new Error('expected an orphan');
      expect(await answer(second, orphan)).toMatchObject([{ service: 'labels' }]);
    });

    test('comes back with an other that was over a cap', async () => {
      const pipeline = makePipeline({ when: below(80), caps: { run: 9_000_000n } });
      const first = await ledger.openRun(makeOpening({ pipeline }));
      const [task] = await plan(first, [makePlanned('a', { services: both })]);
      expect(await intend(first, [task as Task])).toEqual([{ is: 'settled', state: 'over-cap' }]);
      expect(await reasons(first)).toEqual([
        '1 quality over-cap caps.run',
        '1 labels skipped when: quality has no answer (over-cap)',
      ]);
      const second = await open(below(80));
      expect(await reasons(second)).toEqual(['1 quality planned', '1 labels pending']);
      const [again] = await second.readReady('quality', 0, 10);
      expect(await answer(second, await begin(second, again))).toMatchObject([{ service: 'labels' }]);
    });

    test('comes back with an other that was held, once it is to be sent again', async () => {
      const first = await open(below(80));
      const [task] = await plan(first, [makePlanned('a', { services: both })]);
      await first.transition([{ is: 'held', attempt: await begin(first, task), cause: 'timeout' }]);
      expect(await reasons(first)).toContain('1 labels skipped when: quality has no answer (held)');
      await ledger.settleHeld(undefined, 'resend');
      const second = await open(below(80));
      expect(await reasons(second)).toEqual(['1 quality planned', '1 labels pending']);
    });

    test('comes back with an other that is asked for again', async () => {
      const first = await open(below(80));
      const [task] = await plan(first, [makePlanned('a', { services: both })]);
      const attempt = await begin(first, task);
      await first.transition([{ is: 'held', attempt, cause: 'timeout', isAskable: true }]);
      const second = await open(below(80));
      await second.reopenAskable([{ service: 'quality', account: 'pai-prod' }]);
      expect(await reasons(second)).toEqual(['1 quality intent', '1 labels pending']);
      const [orphan] = await second.readOrphans(0, 10);
      if (!orphan) throw new Error('expected an orphan');
      expect(await answer(second, orphan)).toMatchObject([{ service: 'labels' }]);
    });

    test('is let go by the answer of another run that its other waits for', async () => {
      const weekly = await ledger.openRun(makeOpening({ pipeline: makePipeline({ name: 'weekly' }) }));
      const [shared] = await plan(weekly, [makePlanned('b', { content: 'same' })]);
      const attempt = await begin(weekly, shared);
      const run = await open(below(80));
      await plan(run, [makePlanned('a', { content: 'same', services: both })]);
      expect(await reasons(run)).toEqual(['1 quality waiting', '1 labels pending']);
      expect(await answer(weekly, attempt)).toEqual([]);
      expect(await reasons(run)).toEqual(['1 quality reused', '1 labels planned']);
      expect(await run.readReady('labels', 0, 10)).toHaveLength(1);
    });

    test('is handed out with the link of a source that is read again', async () => {
      const url = 'https://cdn.example/a.jpg?X-Amz-Signature=secret';
      const items = [makePlanned('a', { services: both, item: { url } })];
      const page = { items, unselected: 0, broken: [], isLast: true };
      const run = await open(below(80));
      const [task] = await run.plan({ ...page, isFirst: true });
      const [released] = await answer(run, await begin(run, task));
      expect(released?.item.isUrlCut).toBe(true);
      expect(await run.plan({ ...page, isFirst: true })).toMatchObject([
        { service: 'labels', item: { url } },
      ]);
    });
  });

  describe('what was spent', () => {
    const december = Date.parse('2026-11-30T16:00:00Z');

    test('is told by day, pipeline and account, while the run goes on and when it was pruned', async () => {
      const run = await ledger.openRun(makeOpening());
      const tasks = await plan(run, [makePlanned('a'), makePlanned('b'), makePlanned('c')]);
      await answer(run, await begin(run, tasks[0]));
      await answer(run, await begin(run, tasks[1], december));
      await run.transition([{ is: 'held', attempt: await begin(run, tasks[2], december), cause: 'timeout' }]);
      const row = { pipeline: 'nightly', account: 'pai-prod', isLoopback: false, sku: 'pai/basic' };
      const rows = [
        { ...row, day: '2026-11-20', observed: 1, uncertain: 0, charge: 10_000_000n, isComplete: true },
        { ...row, day: '2026-12-01', observed: 1, uncertain: 1, charge: 10_000_000n, isComplete: true },
      ];
      expect(await ledger.readUsage({})).toMatchObject(rows);
      expect(await ledger.readUsage({ month: '2026-12' })).toMatchObject(rows.slice(1));
      expect(await ledger.readUsage({ pipeline: 'weekly' })).toEqual([]);
      await run.end({ state: 'finished', exitCode: 1, why: '', atMs: clock.now() });
      await ledger.openRun(makeOpening({ nowMs: startMs + 1 }));
      await ledger.prune(startMs + 1);
      expect(await ledger.readUsage({})).toMatchObject(rows);
      const entries = await ledger.readItemUsage({}, 0, 10);
      expect(entries.map(({ month, item }) => [month, item?.id])).toEqual([
        ['2026-11', undefined],
        ['2026-12', undefined],
        // What is held may still come to an end, and is kept with its item.
        ['2026-12', 'media/c'],
      ]);
    });

    test('is read with its items, page by page', async () => {
      const run = await ledger.openRun(makeOpening());
      const tasks = await plan(
        run,
        ['x/1', 'x/2', 'y/1'].map((key) => makePlanned(key)),
      );
      for (const task of tasks) await answer(run, await begin(run, task));
      const first = await ledger.readItemUsage({ month: '2026-11' }, 0, 2);
      expect(first.map(({ item }) => item?.object?.key)).toEqual(['x/1', 'x/2']);
      const next = await ledger.readItemUsage({}, first.at(-1)?.id ?? 0, 2);
      expect(next).toMatchObject([
        { pipeline: 'nightly', sku: 'pai/basic', observed: 1, item: { id: 'media/y/1' } },
      ]);
      expect(await ledger.readItemUsage({ month: '2026-10' }, 0, 2)).toEqual([]);
    });

    test('is told of jobs, by their ids or page by page', async () => {
      const run = await ledger.openRun(makeOpening());
      const tasks = await plan(
        run,
        ['a', 'b', 'c', 'd'].map((key) => makePlanned(key)),
      );
      const attempts: Attempt[] = [];
      for (const task of tasks) attempts.push(await begin(run, task));
      const jobs = ['j1', 'j1', 'j2'];
      for (const [index, job] of jobs.entries()) {
        await run.transition([{ is: 'accepted', attempt: attempts[index] as Attempt, job }]);
      }
      for (const attempt of attempts) await answer(run, attempt);
      const question = { account: 'pai-prod', isLoopback: false, month: '2026-11' };
      const told = await ledger.readJobUsage(question, ['j1', 'of-another']);
      expect(told.map(({ job, sku, observed }) => [job, sku, observed])).toEqual([
        ['j1', 'pai/basic', 1],
        ['j1', 'pai/basic', 1],
      ]);
      const first = await ledger.listJobUsage(question, 0, 2);
      expect(first.rows.map(({ job }) => job)).toEqual(['j1', 'j1']);
      const next = await ledger.listJobUsage(question, first.last ?? 0, 2);
      expect([next.rows.map(({ job }) => job), next.last]).toEqual([['j2'], undefined]);
      expect((await ledger.listJobUsage({ ...question, month: '2026-10' }, 0, 5)).rows).toEqual([]);
      expect((await ledger.listJobUsage({ ...question, isLoopback: true }, 0, 5)).rows).toEqual([]);
    });

    test('stands with how far accounts have come', async () => {
      const run = await ledger.openRun(makeOpening());
      const [task] = await plan(run, [makePlanned('a')]);
      await answer(run, await begin(run, task));
      expect(await ledger.readPositions()).toEqual([
        {
          account: 'pai-prod',
          isLoopback: false,
          sku: 'pai/basic',
          position: { freeOnce: 0, packs: {}, months: { '2026-11': { tier: 1, free: 0 } } },
        },
      ]);
    });
  });

  describe('reading for reports', () => {
    test('gives items by the bytes of their position, in pages, with tasks in the pipeline’s order', async () => {
      const run = await ledger.openRun(makeOpening());
      const keys = ['z', 'é', 'a/2', 'a', '😀', '\uffee'];
      await plan(
        run,
        keys.map((key) => makePlanned(key, { services: ['labels', 'quality'] })),
      );
      const found: string[] = [];
      let after: Uint8Array | undefined;
      for (;;) {
        const rows = await ledger.readItems(run.record.id, after, 2);
        if (rows.length === 0) break;
        found.push(...rows.map((row) => row.item.object?.key ?? ''));
        expect(rows[0]?.tasks.map((task) => task.service)).toEqual(['quality', 'labels']);
        after = rows.at(-1)?.item.position;
      }
      expect(found).toEqual(keys.toSorted((one, two) => Buffer.from(one).compare(Buffer.from(two))));
      expect(await ledger.readItems('no-such-run', undefined, 10)).toEqual([]);
    });

    test('finds items by their ids, with the identity of their content', async () => {
      const run = await ledger.openRun(makeOpening());
      const keys = ['a', 'b', 'é😀', "o'clock"];
      await plan(
        run,
        keys.map((key) => makePlanned(key, { planned: { content: `content of ${key}` } })),
      );
      const rows = await ledger.readNamed(run.record.id, ['media/é😀', "media/o'clock", 'media/none']);
      expect(new Map(rows.map((row) => [row.item.id, [row.content, row.tasks.length]]))).toEqual(
        new Map([
          ['media/é😀', ['content of é😀', 1]],
          ["media/o'clock", ["content of o'clock", 1]],
        ]),
      );
      const [first] = await ledger.readItems(run.record.id, undefined, 1);
      expect(first?.content).toBe('content of a');
      expect(await ledger.readNamed('no-such-run', ['media/a'])).toEqual([]);
    });

    test('keeps decisions by content, the latest of which holds in every run until it is taken back', async () => {
      const seen = async (run: RunLedger) => {
        const rows = await ledger.readItems(run.record.id, undefined, 10);
        return rows.map(({ decision }) => decision && [decision.verdict, decision.by, decision.comment]);
      };
      const make = (content: string, verdict?: 'pass' | 'block', comment = '') => ({
        content,
        verdict,
        comment,
        item: `media/${content}`,
        run: 'r',
      });
      const first = await ledger.openRun(makeOpening());
      await plan(first, [
        makePlanned('a', { planned: { content: 'c1' } }),
        makePlanned('b', { planned: { content: 'c2' } }),
        makePlanned('copy', { planned: { content: 'c1' } }),
      ]);
      expect(await seen(first)).toEqual([undefined, undefined, undefined]);
      const given = [make('c1', 'pass', 'a cat'), make('c3', 'block')];
      expect(await ledger.decide(given, 'anna')).toEqual({ stored: 2, unchanged: 0 });
      clock.nowMs += hourMs;
      expect(await ledger.decide([...given, make('c2')], 'ben')).toEqual({ stored: 0, unchanged: 3 });
      expect(await seen(first)).toEqual([['pass', 'anna', 'a cat'], undefined, ['pass', 'anna', 'a cat']]);
      expect(await ledger.decide([make('c1', 'block', 'not a cat')], 'ben')).toMatchObject({ stored: 1 });
      await end(first);
      const other = await openOther();
      const second = await other.openRun(makeOpening({ pipeline: makePipeline({ name: 'weekly' }) }));
      await plan(second, [makePlanned('z', { planned: { content: 'c1' } })]);
      expect(await seen(second)).toEqual([['block', 'ben', 'not a cat']]);
      expect(await ledger.listDecisions(undefined)).toEqual([
        {
          content: 'c1',
          verdict: 'block',
          by: 'ben',
          comment: 'not a cat',
          item: 'media/c1',
          run: 'r',
          at: '2026-11-20T03:00:00.000Z',
        },
        {
          content: 'c3',
          verdict: 'block',
          by: 'anna',
          comment: '',
          item: 'media/c3',
          run: 'r',
          at: '2026-11-20T02:00:00.000Z',
        },
      ]);
      expect((await ledger.listDecisions(['media/*3', 'nothing'])).map(({ content }) => content)).toEqual([
        'c3',
      ]);
      await ledger.decide([make('c1')], 'anna');
      expect(await seen(second)).toEqual([undefined]);
      expect(await ledger.listDecisions(['c1'])).toEqual([]);
    });

    test('finds the run before that was listed to its end, of the same pipeline', async () => {
      const open = async (changes: Parameters<typeof makeOpening>[0], isLast: boolean) => {
        const run = await ledger.openRun(makeOpening({ startNew: true, ...changes }));
        await run.plan({ items: [makePlanned('a')], unselected: 0, broken: [], isLast });
        await end(run);
        return run.record.id;
      };
      const whole = await open({}, true);
      await open({ pipeline: makePipeline({ name: 'weekly' }) }, true);
      await open({}, false);
      await open({ onlyFailed: whole }, true);
      const latest = await open({}, true);
      expect((await ledger.findPrevious(latest))?.id).toBe(whole);
      expect(await ledger.findPrevious(whole)).toBeUndefined();
      expect(await ledger.findPrevious('no-such-run')).toBeUndefined();
    });

    test('gives an item back as it came, but for what may not be stored', async () => {
      const run = await ledger.openRun(makeOpening());
      const item = makeItem('a', {
        title: 'Ein „Titel“',
        text: '文字',
        durationSeconds: 12.25,
        onlyServices: ['quality'],
        lastModified: '2026-11-19T00:00:00.000Z',
        contentType: 'image/jpeg',
        version: 'v1',
      });
      await plan(run, [makePlanned('a', { item })]);
      const [row] = await ledger.readItems(run.record.id, undefined, 1);
      expect(row?.item).toEqual(item);
    });

    test('finds runs by id, pipeline, latest, and so many before', async () => {
      const ids: string[] = [];
      for (const name of ['nightly', 'weekly', 'nightly', 'nightly']) {
        const run = await ledger.openRun(makeOpening({ startNew: true, pipeline: makePipeline({ name }) }));
        ids.push(run.record.id);
      }
      const [first, weekly, third, last] = ids;
      const cases: readonly (readonly [string, string | undefined])[] = [
        [first ?? '', first],
        ['nightly', last],
        ['nightly~1', third],
        ['nightly~2', first],
        ['nightly~3', undefined],
        ['latest', last],
        ['latest~2', weekly],
        [`${last}~1`, third],
        [`${third}~1`, first],
        ['weekly', weekly],
        ['monthly', undefined],
        ['nightly~x', undefined],
      ];
      for (const [selector, id] of cases) {
        expect([selector, (await ledger.findRun(selector))?.id]).toEqual([selector, id]);
      }
      expect((await ledger.listRuns(2, 'nightly')).map((run) => run.id)).toEqual([last, third]);
      expect(await ledger.listRuns(10)).toHaveLength(4);
    });

    test('keeps how a run ended', async () => {
      const run = await ledger.openRun(makeOpening());
      const record = await end(run, 'stopped');
      expect(record).toMatchObject({
        state: 'stopped',
        exitCode: 3,
        why: 'because',
        endedAt: '2026-11-20T02:00:05.000Z',
      });
      expect(await ledger.findRun(record.id)).toEqual(record);
      expect(run.record).toEqual(record);
    });
  });

  test('what was written is there for the next process', async () => {
    const run = await ledger.openRun(makeOpening());
    const [task] = await plan(run, [makePlanned('a')]);
    await begin(run, task);
    await ledger.close();
    ledger = await place.open(clock);
    const next = await ledger.openRun(makeOpening());
    expect(next.isResumed).toBe(true);
    expect(await next.readOrphans(0, 10)).toMatchObject([{ task: task?.id, state: 'intent' }]);
  });

  test('a failing write loses none of those that share its commit', async () => {
    const run = await ledger.openRun(makeOpening());
    const unknown = { ...makePlanned('x'), tasks: makePlanned('x', { services: ['nobody'] }).tasks };
    const results = await Promise.allSettled([
      plan(run, [makePlanned('a')]),
      plan(run, [makePlanned('b'), unknown]),
      plan(run, [makePlanned('c')]),
    ]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await readStates(ledger, run.record.id)).toEqual(['a quality planned', 'c quality planned']);
    expect(await ledger.countTasks(run.record.id)).toMatchObject([{ state: 'planned', count: 2 }]);
    expect(run.record.counters.items).toBe(2);
  });

  test('promises resolve in the order of the calls', async () => {
    const run = await ledger.openRun(makeOpening());
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        await plan(run, [makePlanned(`key-${index}`)]);
        order.push(index);
      }),
    );
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  describe('shards', () => {
    const both = ['quality', 'labels'];

    /** A run of six items with two tasks each, and a worker that has joined it. */
    async function openSharded(pipeline = makePipeline()) {
      const run = await ledger.openRun(makeOpening({ pipeline }));
      await plan(
        run,
        ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => makePlanned(key, { services: both })),
      );
      const other = await openOther();
      const worker = await other.openRun(makeOpening({ pipeline, joins: run.record.id }));
      return { run, id: run.record.id, other, worker };
    }

    const readAll = async (run: RunLedger, shard: TaskRange) =>
      (await Promise.all(both.map((service) => run.readReady(service, 0, 100, shard)))).flat();

    test('hold each task of a run once, whole items in each, and are cut as planning goes on', async () => {
      const { id, worker } = await openSharded();
      expect(await ledger.cutShards(id, 5, false)).toBe(2);
      expect(await ledger.cutShards(id, 5, false)).toBe(0);
      expect(await ledger.cutShards(id, 5, true)).toBe(0);
      expect(await ledger.cutShards(id, 5, true)).toBe(0);
      const shards = await ledger.listShards(id);
      const items = await Promise.all(
        shards.map(async (shard) => (await readAll(worker, shard)).map(({ item }) => item.object?.key)),
      );
      expect(items.map((keys) => [...new Set(keys.map(String))].toSorted())).toEqual([
        ['a', 'b', 'c'],
        ['d', 'e', 'f'],
      ]);
      expect(items.flat().length).toBe(12);
    });

    test('are done from the first where all was answered before', async () => {
      const before = await ledger.openRun(makeOpening());
      for (const task of await plan(before, [makePlanned('a')]))
        await answer(before, await begin(before, task));
      await end(before);
      const run = await ledger.openRun(makeOpening());
      await plan(run, [makePlanned('a')]);
      await plan(run, [makePlanned('b')]);
      const { id } = run.record;
      expect(await ledger.cutShards(id, 1, true)).toBe(2);
      expect((await ledger.listShards(id)).map(({ isDone }) => isDone)).toEqual([true, false]);
      expect(await ledger.claimShard({ run: id, number: 1, holder: 'one' })).toEqual({ is: 'done' });
      expect(await ledger.reopenShards(id, true)).toBe(0);
    });

    test('the rest of a run is a shard once planning is over', async () => {
      const { id } = await openSharded();
      expect(await ledger.cutShards(id, 8, false)).toBe(1);
      expect(await ledger.cutShards(id, 8, true)).toBe(1);
      expect((await ledger.listShards(id)).map(({ number }) => number)).toEqual([1, 2]);
    });

    test('belong to one holder at a time, and to another only where that one is named as dead', async () => {
      const { id, other } = await openSharded();
      await ledger.cutShards(id, 6, true);
      const order = { run: id, number: 1 };
      const claims = await Promise.all([
        ledger.claimShard({ ...order, holder: 'one' }),
        other.claimShard({ ...order, holder: 'two' }),
      ]);
      expect(claims.map((claim) => claim.is).sort()).toEqual(['claimed', 'held']);
      const [holder, late] = claims[0]?.is === 'claimed' ? ['one', 'two'] : ['two', 'one'];
      expect(await ledger.claimShard({ ...order, holder: late })).toEqual({ is: 'held', holder });
      // A queue may offer a shard again to the very process that has it in hand.
      expect(await ledger.claimShard({ ...order, holder })).toEqual({ is: 'held', holder });
      expect(await other.listHolders('nightly')).toEqual([{ run: id, holder }]);
      expect(await ledger.claimShard({ ...order, holder: late, from: holder })).toMatchObject({
        is: 'claimed',
        shard: { number: 1, holder: late, claims: 2 },
      });
      // Whoever was thought dead has no say any more.
      await ledger.leaveShard({ ...order, holder, isDone: true, halts: [] });
      expect(await ledger.claimShard({ ...order, holder: 'three' })).toEqual({ is: 'held', holder: late });
      await ledger.leaveShard({ ...order, holder: late, isDone: true, halts: [] });
      expect(await ledger.claimShard({ ...order, holder: 'three' })).toEqual({ is: 'done' });
      expect(await other.listHolders('nightly')).toEqual([]);
    });

    test('of a run that is not under way are given to nobody', async () => {
      const { run, id } = await openSharded();
      await ledger.cutShards(id, 6, true);
      await end(run, 'stopped');
      expect(await ledger.claimShard({ run: id, number: 1, holder: 'one' })).toEqual({ is: 'done' });
    });

    test('give their next holder what the last one left open, and nothing of other shards', async () => {
      const { run, id, worker } = await openSharded();
      await ledger.cutShards(id, 6, true);
      const [first, second] = await ledger.listShards(id);
      if (!first || !second) throw new Error('expected two shards');
      const [task] = await readAll(worker, first);
      const [elsewhere] = await readAll(worker, second);
      const attempt = await begin(worker, task);
      await begin(worker, elsewhere);
      const next = await (await openOther()).openRun(makeOpening({ joins: id }));
      expect((await next.readOrphans(0, 10, first)).map((orphan) => orphan.id)).toEqual([attempt.id]);
      expect(await run.readOrphans(0, 10, 'other-runs')).toEqual([]);
      await answer(next, attempt);
      expect(await readStates(ledger, id)).toContain('a quality answered');
    });

    test('are open again where tasks of theirs are to be carried out, those of halted accounts when asked', async () => {
      const { id, worker } = await openSharded();
      await ledger.cutShards(id, 6, true);
      const leave = (number: number, account?: string) =>
        ledger.leaveShard({
          run: id,
          number,
          holder: 'one',
          isDone: true,
          halts: account === undefined ? [] : [{ account, reason: 'sign error' }],
        });
      for (const number of [1, 2]) await ledger.claimShard({ run: id, number, holder: 'one' });
      const [first] = await ledger.listShards(id);
      if (!first) throw new Error('expected a shard');
      for (const task of await readAll(worker, first)) await answer(worker, await begin(worker, task));
      await leave(1);
      await leave(2, 'pai-prod');
      expect(await ledger.reopenShards(id, false)).toBe(0);
      expect(await ledger.listShards(id)).toMatchObject([
        { isDone: true, halts: [] },
        { isDone: true, halts: [{ account: 'pai-prod', reason: 'sign error' }] },
      ]);
      expect(await ledger.reopenShards(id, true)).toBe(1);
      expect(await ledger.listShards(id)).toMatchObject([{ isDone: true }, { isDone: false, halts: [] }]);
    });

    test('are carried out under the caps that their run was begun with', async () => {
      const caps = { run: 15_000_000n };
      const { worker } = await openSharded(makePipeline({ caps }));
      const one = await worker.readReady('quality', 0, 2);
      // A worker's own config says nothing of `run --cap`.
      const uncapped = await (await openOther()).openRun(makeOpening({ joins: worker.record.id }));
      expect((await intend(uncapped, one)).map((intent) => intent.is)).toEqual(['intended', 'settled']);
    });

    test('are not joined by a machine whose config says otherwise', async () => {
      const { id, other } = await openSharded();
      const changed = makePipeline({ shapeHash: 'shape-2' });
      await expect(other.openRun(makeOpening({ pipeline: changed, joins: id }))).rejects.toThrow(
        `run "${id}": expected the source, access, services and accounts that it was begun with, found others in the config of this machine.`,
      );
    });

    test('leave the run as it is to whoever joins it', async () => {
      const { run, id, worker } = await openSharded();
      expect(worker.record).toMatchObject({ id, state: 'running' });
      expect((await ledger.findRun(id))?.state).toBe('running');
      expect(worker.isResumed).toBe(true);
      await end(run);
    });
  });
}
