/** The invariants, held against what a schedule came to. Each fault is one line of words. */
import { checkAccounts } from '../../src/domain/accounting.ts';
import type { TaskRow } from '../../src/domain/ledger.ts';
import type { Account } from '../../src/domain/settings.ts';
import { statusOf } from '../../src/domain/task.ts';
import { type PipelinePlan, unitPrice } from './schedule.ts';
import { type Carried, contentOf } from './sim-vendor.ts';
import type { Played, PlayedPipeline } from './simulate.ts';

export function judge(played: Played): readonly string[] {
  return [
    ...played.pipelines.flatMap((one) =>
      [...judgeEnds(one), ...judgeAnswers(one), ...judgePatience(one)].map(
        (fault) => `${one.plan.name}: ${fault}`,
      ),
    ),
    ...judgeDoubles(played),
    ...judgeTold(played),
    ...judgeBooks(played),
    ...judgeProofs(played),
    ...judgeLimits(played),
    ...judgeCaps(played),
  ];
}

/** Every item ends with a status, and the identity holds. */
function judgeEnds({ plan, rows, counts, counters, lastEnd }: PlayedPipeline): string[] {
  const faults: string[] = [];
  if (lastEnd.isStopped || lastEnd.halts.length > 0) {
    faults.push(`the session in calm weather halted: ${JSON.stringify(lastEnd.halts)}`);
  }
  const sums: Record<string, number> = {};
  for (const { state, count } of counts) sums[statusOf(state)] = (sums[statusOf(state)] ?? 0) + count;
  const sum = (status: string) => sums[status] ?? 0;
  if (sum('open') > 0) faults.push(`${sum('open')} tasks are still open after a session in calm weather`);
  const { isBalanced, expected, found } = checkAccounts({
    items: counters.items,
    services: plan.services.length,
    notApplicable: counters.notApplicable,
    answered: sum('answered'),
    reused: sum('reused'),
    skipped: sum('skipped'),
    failed: sum('failed'),
    held: sum('held'),
    overCap: sum('over-cap'),
    open: sum('open'),
  });
  if (!isBalanced) faults.push(`the identity is broken: ${expected} tasks expected, ${found} found`);
  if (rows.length !== plan.items.length) faults.push(`${rows.length} of ${plan.items.length} items`);
  return faults;
}

/** A reference stands for one submission, whatever happens. */
function judgeDoubles({ vendor }: Played): string[] {
  const times = new Map<string, number>();
  for (const { ref } of vendor.carried) times.set(ref, (times.get(ref) ?? 0) + 1);
  const doubles = [...times.values()].filter((count) => count > 1).length;
  return doubles > 0 ? [`${doubles} references were carried out more than once`] : [];
}

/** What was answered, taken or refused for good is never called for again. */
function judgeTold({ vendor, network }: Played): string[] {
  const told = new Map<string, number>();
  for (const { atMs, content } of network.told) {
    told.set(content, Math.min(atMs, told.get(content) ?? Number.POSITIVE_INFINITY));
  }
  const again = vendor.carried.filter(
    ({ departedAtMs, content }) => departedAtMs > (told.get(content) ?? Number.POSITIVE_INFINITY),
  );
  return again.length > 0 ? [`called again although its end was told: ${again[0]?.content}`] : [];
}

/** Every call that was carried out is on the books, and no more are uncertain than were lost. */
function judgeBooks({ vendor, network, booked }: Played): string[] {
  const faults: string[] = [];
  for (const sku of ['toy/call', 'toy/frame'] as const) {
    const carried = vendor.carried
      .filter((one) => one.sku === sku)
      .reduce((sum, { units }) => sum + units, 0);
    const { known, uncertain } = booked[sku] ?? { known: 0, uncertain: 0 };
    if (known + uncertain < carried)
      faults.push(`${sku}: the vendor counted ${carried} units, the books have ${known} + ${uncertain}`);
    const mostUncertain = network.unknown[sku] * (sku === 'toy/frame' ? 3 : 1);
    if (uncertain > mostUncertain)
      faults.push(`${sku}: ${uncertain} units are uncertain, at most ${mostUncertain} were lost`);
    if (known > carried) faults.push(`${sku}: ${known} units are charged, the vendor counted ${carried}`);
  }
  return faults;
}

/** Every answer is proved by the archived reply. */
function judgeProofs({ unproved }: Played): string[] {
  return unproved > 0 ? [`${unproved} answers have no archived reply`] : [];
}

/** Each answer is the one of its item, and paid for exactly. */
function judgeAnswers({ rows }: PlayedPipeline): string[] {
  const faults: string[] = [];
  for (const { item, tasks } of rows) {
    const content = contentOf(
      item.text === undefined ? { ref: '', link: `x:/${item.key}` } : { ref: '', text: item.text },
    );
    for (const task of tasks) {
      const hasAnswer = task.status === 'answered' || task.status === 'reused';
      const label = task.finding?.labels[0]?.label;
      if (hasAnswer && label !== content) faults.push(`${item.id} of ${content} has the answer of ${label}`);
      if (task.status === 'answered' && !isExact(task))
        faults.push(`${item.id}: answered for ${JSON.stringify(task.units)}`);
    }
  }
  return faults;
}

/** No job takes an hour, so that none is to be given up after twenty, whatever the wall clock says. */
function judgePatience({ rows }: PlayedPipeline): string[] {
  const late = rows.filter(({ tasks }) => tasks.some(({ error }) => error?.class === 'deadline'));
  return late.map(({ item }) => `${item.id}: a live job was given up as overdue`);
}

function isExact({ units }: TaskRow): boolean {
  const [[sku, count] = ['', 0], ...others] = Object.entries(units);
  return others.length === 0 && count === (sku === 'toy/frame' ? 3 : 1);
}

/** What the vendor carried out costs no more than any cap allows, and nothing is held once nothing is under way. */
function judgeCaps(played: Played): string[] {
  const passed = weighCaps(played).filter(({ limit, spent }) => spent > limit);
  return [
    ...played.reserved.map((name) => `${name}: something is reserved after everything has ended`),
    ...passed.map(({ name, limit, spent }) => `${name}: ${spent} nano were spent under a cap of ${limit}`),
  ];
}

interface WeighedCap {
  /** Whose it is. */
  readonly name: string;
  readonly limit: bigint;
  /** By the vendor's count. */
  readonly spent: bigint;
}

/** Every cap of a schedule with what was spent under it. Stand-ins are apart from the real world, and have caps of their own. */
export function weighCaps({ schedule, pipelines, vendor }: Played): readonly WeighedCap[] {
  const sum = (isCounted: (one: Carried, account: string) => boolean): bigint =>
    vendor.carried
      .filter((one) => isCounted(one, one.content.split('/', 1)[0] ?? ''))
      .reduce((total, { units }) => total + BigInt(units) * unitPrice, 0n);
  const caps: WeighedCap[] = [];
  for (const { plan, runs } of pipelines) {
    const { run, month } = plan.caps;
    for (const isLoopback of [true, false]) {
      const names = accountsOf([plan]).flatMap((one) => (one.isLoopback === isLoopback ? [one.name] : []));
      if (names.length === 0) continue;
      const spent = sum(({ pipeline }, account) => pipeline === plan.name && names.includes(account));
      if (month !== undefined) caps.push({ name: `${plan.name}, by month`, limit: month, spent });
      // What each of several runs spent, the vendor cannot tell.
      if (run !== undefined && runs === 1) caps.push({ name: `${plan.name}, by run`, limit: run, spent });
    }
  }
  for (const { name, caps: own } of accountsOf(schedule.pipelines)) {
    if (own?.month !== undefined)
      caps.push({ name, limit: own.month, spent: sum((_, account) => account === name) });
  }
  return caps;
}

function accountsOf(plans: readonly PipelinePlan[]): readonly Account[] {
  return [...new Set(plans.flatMap(({ services }) => services.map(({ account }) => account)))];
}

/** Pace, calls at once and open jobs of all processes together, counted outside of the program. */
function judgeLimits({ schedule, network, vendor, lostAtEnds }: Played): string[] {
  const faults: string[] = [];
  const uses = schedule.pipelines.flatMap(({ services }) => services);
  for (const account of accountsOf(schedule.pipelines)) {
    const { name, limits } = account;
    const times = network.departures.get(name) ?? [];
    const isFast = times.some(
      (atMs, index) => (times[index + limits.perSecond + 1] ?? Number.POSITIVE_INFINITY) - atMs < 1000 - 1e-6,
    );
    if (isFast) faults.push(`${name}: more than ${limits.perSecond} + 1 calls in one second`);
    const flying = network.mostInFlight.get(name) ?? 0;
    if (flying > limits.concurrency) faults.push(`${name}: ${flying} calls at once of ${limits.concurrency}`);
    const batches = uses.filter((use) => use.account === account).map(({ batch }) => batch);
    const most = Math.max(limits.maxOpenJobs, ...batches);
    const open = vendor.mostOpen.get(name) ?? 0;
    if (open > most) faults.push(`${name}: ${open} jobs open of ${most}`);
  }
  for (const plan of schedule.pipelines) {
    const batch = Math.max(...plan.services.map((use) => use.batch));
    const calls = accountsOf([plan]).reduce(
      (sum, { limits: { concurrency, perSecond } }) =>
        sum + concurrency + Math.max(1, Math.min(concurrency, Math.ceil(perSecond * 0.02))),
      0,
    );
    const losses = lostAtEnds.flatMap(({ pipeline, lost }) => (pipeline === plan.name ? [lost] : []));
    const lost = Math.max(...losses);
    if (lost > calls * batch)
      faults.push(`${plan.name}: ${lost} elements were in flight or ahead, ${calls * batch} allowed`);
  }
  return faults;
}
