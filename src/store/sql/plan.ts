/** Stores a page of planned items, and answers which of their tasks may be sent. */
import { sortByWhen } from '../../domain/cascade.ts';
import type { PlannedItem, PlanPage } from '../../domain/ledger.ts';
import { wrongUse } from '../../domain/problem.ts';
import type { TaskState } from '../../domain/task.ts';
import { drawCanary } from './canary.ts';
import { type Dependent, endTask, judgeWhen } from './cascade.ts';
import type { Soon } from './database.ts';
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
export async function planPage(session: Session, page: PlanPage): Promise<readonly ReadyTask[]> {
  const ready: ReadyTask[] = [];
  if (page.anew === 'first') session.db.run('UPDATE runs SET unselected = 0 WHERE seq = ?', [session.run]);
  if (page.isFirst === true) session.reading.firstItem = await findNextItem(session);
  const view = await PlanView.read(session, page);
  const fresh: { readonly id: number; readonly name: string }[] = [];
  let items = 0;
  let notApplicable = 0;
  for (const [place, planned] of page.items.entries()) {
    keepMedia(session, planned);
    const known = view.findItem(planned.item.position);
    if (!known) {
      items += 1;
      notApplicable += planned.notApplicable;
      const before = ready.length;
      const id = await addItem(session, view, { planned, place }, ready);
      const first = ready[before];
      if (first) fresh.push({ id, name: first.name });
    } else if (page.anew === undefined && known.id < session.reading.firstItem) {
      requireSameItem(session, planned, known.name);
      await renewItem(session, view, { planned, place }, known, ready);
    }
  }
  await drawCanary(session, fresh);
  const broken = await storeBroken(session, page);
  session.db.run(
    `UPDATE runs SET items = items + ?, not_applicable = not_applicable + ?, unselected = unselected + ?,
       broken = broken + ?, checkpoint = ?, listing = ? WHERE seq = ?`,
    [
      items,
      notApplicable,
      page.unselected,
      broken,
      page.checkpoint ?? null,
      page.isLast ? 'complete' : 'partial',
      session.run,
    ],
  );
  return ready;
}

async function addItem(
  session: Session,
  view: PlanView,
  { planned, place: item }: Placed,
  ready: ReadyTask[],
): Promise<number> {
  const { db, run } = session;
  const { position, id: wanted } = planned.item;
  const name = await view.findFreeName(wanted);
  const id = db.insert('items', {
    run,
    position,
    name,
    facts: packFacts(planned.item),
    content: planned.content ?? null,
  });
  view.noteItem(position, { id, name });
  const ends = new Map<number, { readonly state: TaskState; readonly answer: number | null }>();
  for (const [index, task] of sortTasks(session, planned.tasks)) {
    const service = findService(session, task.service);
    const { key, place, end } = await judgeTask(session, view, task, ends);
    const state: TaskState = end?.state ?? place;
    const reason = end?.reason ?? '';
    ends.set(service, { state, answer: end?.answer ?? null });
    const taskId = db.insert('tasks', {
      run,
      item: id,
      service,
      key,
      state,
      reason,
      usage: JSON.stringify(task.usage),
      answer: end?.answer ?? null,
      error: end?.error ?? null,
      ended_ms: end ? session.now() : null,
    });
    session.tally.count(run, service, state, reason, 1);
    if (state === 'planned') ready.push({ id: taskId, item, task: index, name, tries: 0, resends: 0 });
  }
  return id;
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
function judgeTask(
  session: Session,
  view: PlanView,
  task: PlannedTask,
  others: ReadonlyMap<number, { readonly state: TaskState; readonly answer: number | null }>,
): Soon<Judgement> {
  const service = findService(session, task.service);
  const waits = session.dependents.find((one) => one.service === service);
  const judged = judgeKey(session, view, task);
  return waits ? judgeDependent(session, waits, judged, others) : judged;
}

async function judgeDependent(
  session: Session,
  waits: Dependent,
  own: Soon<Judgement>,
  others: ReadonlyMap<number, { readonly state: TaskState; readonly answer: number | null }>,
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

async function findNextItem({ db }: Session): Promise<number> {
  const items = await db.get<{ last: number | null }>('SELECT max(id) AS last FROM items');
  return (items?.last ?? 0) + 1;
}

function judgeKey(session: Session, view: PlanView, task: PlannedTask): Soon<Judgement> {
  const known = view.internKey(task.reuseKey);
  const place = known.open === null ? 'planned' : 'waiting';
  // What was paid for, or may have been, comes before a reason not to pay; a failure that is only remembered does not.
  if (task.skip !== undefined && known.answer === null && known.held === null) {
    return { key: known.key, place, end: { state: 'skipped', reason: task.skip, answer: null, error: null } };
  }
  const end = settleKey(session.db, known);
  if (!(end instanceof Promise)) return { key: known.key, place, end };
  return end.then((settlement) => ({ key: known.key, place, end: settlement }));
}

function findService(session: Session, name: string): number {
  const index = session.services.indexOf(name);
  if (index < 0) throw new Error(`service "${name}" is none of run "${session.runId}"`);
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
async function storeBroken({ db, run }: Session, page: PlanPage): Promise<number> {
  if (page.broken.length === 0) return 0;
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
