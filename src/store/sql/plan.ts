/** Stores a page of planned items, and answers which of their tasks may be sent. */
import { sortByWhen } from '../../domain/cascade.ts';
import type { PlannedItem, PlanPage } from '../../domain/ledger.ts';
import { wrongUse } from '../../domain/problem.ts';
import type { TaskState } from '../../domain/task.ts';
import { drawCanary } from './canary.ts';
import { type Dependent, endTask, judgeWhen } from './cascade.ts';
import { after, inTurn, type Soon } from './soon.ts';
import { packFacts } from './item-facts.ts';
import type { Settlement } from './known.ts';
import { settleKey } from './known.ts';
import { storeMedia } from './media.ts';
import { PlanView, type StoredItem } from './plan-view.ts';
import type { Session } from './session.ts';
import type { MovableTask } from './task-row.ts';
import { moveTask } from './task-row.ts';

type PlannedTask = PlannedItem['tasks'][number];

/** A task that may be sent, by its place in the page. */
export interface ReadyTask {
  readonly id: number;
  /** Place of its item in the page, and of its service among the item's tasks. */
  readonly item: number;
  readonly task: number;
  /** The item's id, free in its run. */
  readonly name: string;
  readonly tries: number;
  readonly resends: number;
}

/** A planned item with its place in the page. */
interface Placed {
  readonly planned: PlannedItem;
  readonly place: number;
}

/**
 * Idempotent by position. An item of an earlier reading that comes again keeps what became of it; only its tasks that are
 * still planned or pending are looked at anew, since its content and what is known of it may have changed. Where a listing
 * began anew they are not: they may have been handed out in this session, and else stand in the ledger.
 *
 * @throws `Stop` where a position that an earlier session filled now holds another item.
 */
export function planPage(session: Session, page: PlanPage): Soon<readonly ReadyTask[]> {
  if (page.anew === 'first') session.db.run('UPDATE runs SET unselected = 0 WHERE seq = ?', [session.run]);
  return after(page.isFirst === true ? findNextItem(session) : session.reading.firstItem, (firstItem) => {
    session.reading.firstItem = firstItem;
    return after(PlanView.read(session, page), (view) => storePage(session, view, page));
  });
}

/** What a page has come to so far. */
interface Stored {
  readonly ready: ReadyTask[];
  readonly fresh: { readonly id: number; readonly name: string }[];
  items: number;
  notApplicable: number;
}

function storePage(session: Session, view: PlanView, page: PlanPage): Soon<readonly ReadyTask[]> {
  const stored: Stored = { ready: [], fresh: [], items: 0, notApplicable: 0 };
  const store = (planned: PlannedItem, place: number) =>
    storeItem(session, view, page, { planned, place }, stored);
  return after(inTurn(page.items, store), () =>
    after(drawCanary(session, stored.fresh), () =>
      after(storeBroken(session, page), (broken) => {
        session.db.run(
          `UPDATE runs SET items = items + ?, not_applicable = not_applicable + ?, unselected = unselected + ?,
             broken = broken + ?, checkpoint = ?, listing = ? WHERE seq = ?`,
          [
            stored.items,
            stored.notApplicable,
            page.unselected,
            broken,
            page.checkpoint ?? null,
            page.isLast ? 'complete' : 'partial',
            session.run,
          ],
        );
        return stored.ready;
      }),
    ),
  );
}

function storeItem(
  session: Session,
  view: PlanView,
  page: PlanPage,
  { planned, place }: Placed,
  stored: Stored,
): Soon<void> {
  const { ready } = stored;
  keepMedia(session, planned);
  const known = view.findItem(planned.item.position);
  if (!known) {
    stored.items += 1;
    stored.notApplicable += planned.notApplicable;
    const before = ready.length;
    return after(addItem(session, view, { planned, place }, ready), (id) => {
      const first = ready[before];
      if (first) stored.fresh.push({ id, name: first.name });
    });
  }
  if (page.anew !== undefined || known.id >= session.reading.firstItem) return undefined;
  requireSameItem(session, planned, known.name);
  return renewItem(session, view, { planned, place }, known, ready);
}

function addItem(
  session: Session,
  view: PlanView,
  { planned, place: item }: Placed,
  ready: ReadyTask[],
): Soon<number> {
  const { db, run } = session;
  const { position, id: wanted } = planned.item;
  return after(view.findFreeName(wanted), (name) => {
    const id = db.insert('items', {
      run,
      position,
      name,
      facts: packFacts(planned.item),
      content: planned.content ?? null,
    });
    view.noteItem(position, { id, name });
    const ends: Ends = new Map();
    const add = ([index, task]: readonly [number, PlannedTask]) =>
      after(judgeTask(session, view, task, ends), (judged) => {
        const added = addTask(session, id, task, judged, ends);
        if (added.state === 'planned') {
          ready.push({ id: added.id, item, task: index, name, tries: 0, resends: 0 });
        }
      });
    return after(inTurn(sortTasks(session, planned.tasks), add), () => id);
  });
}

/** Of the tasks of an item that stand already, by service. */
type Ends = Map<number, { readonly state: TaskState; readonly answer: number | null }>;

function addTask(
  { db, run, services, runId, tally, now }: Session,
  item: number,
  task: PlannedTask,
  { key, place, end }: Judgement,
  ends: Ends,
): { readonly id: number; readonly state: TaskState } {
  const service = findService({ services, runId }, task.service);
  const state: TaskState = end?.state ?? place;
  const reason = end?.reason ?? '';
  ends.set(service, { state, answer: end?.answer ?? null });
  const id = db.insert('tasks', {
    run,
    item,
    service,
    key,
    state,
    reason,
    usage: JSON.stringify(task.usage),
    answer: end?.answer ?? null,
    error: end?.error ?? null,
    ended_ms: end ? now() : null,
  });
  tally.count(run, service, state, reason, 1);
  return { id, state };
}

interface PlannedRow extends MovableTask {
  readonly key: number;
  readonly usage: string;
  readonly tries: number;
  readonly resends: number;
}

async function renewItem(
  session: Session,
  view: PlanView,
  { planned, place: item }: Placed,
  known: StoredItem,
  ready: ReadyTask[],
): Promise<void> {
  const rows = await session.db.all<PlannedRow>(
    `SELECT id, run, service, state, reason, key, usage, tries, resends FROM tasks
     WHERE item = ? AND state IN ('planned', 'pending')`,
    [known.id],
  );
  if (rows.length > 0) {
    session.db.run('UPDATE items SET facts = ?, content = ? WHERE id = ?', [
      packFacts(planned.item),
      planned.content ?? null,
      known.id,
    ]);
  }
  const renewed: (Judgement & {
    readonly row: PlannedRow;
    readonly task: PlannedTask;
    readonly index: number;
  })[] = [];
  for (const row of rows) {
    const index = planned.tasks.findIndex((one) => findService(session, one.service) === row.service);
    const task = planned.tasks[index];
    if (task) renewed.push({ row, task, index, ...(await judgeKey(session, view, task)) });
  }
  for (const { row, task, key } of renewed) {
    session.db.run('UPDATE tasks SET key = ?, usage = ? WHERE id = ?', [
      key,
      JSON.stringify(task.usage),
      row.id,
    ]);
  }
  const before = session.released.length;
  const sent: number[] = [];
  for (const { row, place, end } of renewed) {
    if (row.state === 'pending') continue;
    if (end) await endTask(session, row, { ...end, endedMs: session.now() });
    else if (place === 'waiting') moveTask(session, row, { state: place });
    else sent.push(row.id);
  }
  // What the ends of others let go is handed out here, with the links that the source has just given.
  sent.push(...session.released.splice(before));
  for (const { row, index } of renewed) {
    const { id, tries, resends } = row;
    if (sent.includes(id)) ready.push({ id, item, task: index, name: known.name, tries, resends });
  }
}

interface Judgement {
  readonly key: number;
  /** Where the task stands unless it has an end already. */
  readonly place: 'planned' | 'pending' | 'waiting';
  readonly end: Settlement | { state: 'skipped'; reason: string; answer: null; error: null } | undefined;
}

/** As `judgeKey`, behind the condition that the task may wait for; `others` are those of the item that stand already. */
function judgeTask(session: Session, view: PlanView, task: PlannedTask, others: Ends): Soon<Judgement> {
  const service = findService(session, task.service);
  const waits = session.dependents.find((one) => one.service === service);
  const judged = judgeKey(session, view, task);
  return waits ? judgeDependent(session, waits, judged, others) : judged;
}

async function judgeDependent(
  session: Session,
  waits: Dependent,
  own: Soon<Judgement>,
  others: Ends,
): Promise<Judgement> {
  const judged = await own;
  if (judged.end?.state === 'skipped') return judged;
  const step = await judgeWhen(session.db, waits.when, others.get(waits.awaited));
  if (step.next === 'go') return judged;
  if (step.next === 'wait') return { ...judged, place: 'pending', end: undefined };
  return { ...judged, end: { state: 'skipped', reason: step.reason, answer: null, error: null } };
}

/** With their places; those that wait for others stand behind them. */
function sortTasks(
  session: Session,
  tasks: PlannedItem['tasks'],
): readonly (readonly [number, PlannedTask])[] {
  const placed = [...tasks.entries()];
  if (session.dependents.length === 0) return placed;
  const order = sortByWhen(session.pipeline.services).map(({ name }) => name);
  return placed.toSorted(([, one], [, other]) => order.indexOf(one.service) - order.indexOf(other.service));
}

function findNextItem({ db }: Session): Soon<number> {
  const found = db.get<{ last: number | null }>('SELECT max(id) AS last FROM items');
  return after(found, (items) => (items?.last ?? 0) + 1);
}

function judgeKey(session: Session, view: PlanView, task: PlannedTask): Soon<Judgement> {
  const known = view.internKey(task.reuseKey);
  const place = known.open === null ? 'planned' : 'waiting';
  // What was paid for, or may have been, comes before a reason not to pay; a failure that is only remembered does not.
  if (task.skip !== undefined && known.answer === null && known.held === null) {
    return { key: known.key, place, end: { state: 'skipped', reason: task.skip, answer: null, error: null } };
  }
  return after(settleKey(session.db, known), (end) => ({ key: known.key, place, end }));
}

function findService({ services, runId }: Pick<Session, 'services' | 'runId'>, name: string): number {
  const index = services.indexOf(name);
  if (index < 0) throw new Error(`service "${name}" is none of run "${runId}"`);
  return index;
}

function requireSameItem(session: Session, { item }: PlannedItem, name: string): void {
  if (name === item.id || (name.startsWith(`${item.id}#`) && /^\d+$/.test(name.slice(item.id.length + 1)))) {
    return;
  }
  throw wrongUse(
    `run "${session.runId}": the source changed since the run began: expected item "${name}", found "${item.id}" in its place. Put the source back to go on, or begin a new run with --new.`,
  );
}

function keepMedia({ db }: Session, { contentId, media }: PlannedItem): void {
  if (contentId === undefined || !media) return;
  storeMedia(db, contentId, media);
}

/** How many of the page's broken rows were not known yet. */
function storeBroken(session: Session, page: PlanPage): Soon<number> {
  return page.broken.length === 0 ? 0 : addBroken(session, page);
}

async function addBroken({ db, run }: Session, page: PlanPage): Promise<number> {
  const stored = await db.all<{ line: number }>('SELECT line FROM broken WHERE run = ? AND line IN LIST(?)', [
    run,
    page.broken.map(({ line }) => line),
  ]);
  const known = new Set(stored.map(({ line }) => line));
  let added = 0;
  for (const { line, message } of page.broken) {
    if (known.has(line)) continue;
    known.add(line);
    added += 1;
    db.run('INSERT INTO broken VALUES (?, ?, ?)', [run, line, message]);
  }
  return added;
}
