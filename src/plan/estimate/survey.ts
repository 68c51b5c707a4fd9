/** Counts what the pages of a library would come to as a run: sums by account and SKU, nothing that grows with the items. */
import { decideWhen } from '../../domain/cascade.ts';
import type {
  Assumed,
  EstimateBasis,
  LibraryDigest,
  Misfit,
  TaskForecast,
  Unsent,
} from '../../domain/estimate.ts';
import { classifyReason } from '../../domain/fit.ts';
import type { Fate, Foresight } from '../../domain/foresight.ts';
import type { BrokenRow, Item } from '../../domain/item.ts';
import { formatCondition } from '../../domain/policy.ts';
import type { ServiceUse } from '../../domain/settings.ts';
import type { LookedItem, LookedPage } from '../plan-tasks.ts';
import { Digest } from './digest.ts';
import { type FetchedBytes, Fetches } from './fetches.ts';
import { extrapolate, Stratum } from './stratum.ts';

/** Units of a SKU on an account, by what is known of them. */
export interface Line {
  readonly account: string;
  readonly sku: string;
  readonly byBasis: Record<EstimateBasis, number>;
  /** What the sampled part may be as little, and as much, as. */
  low: number;
  high: number;
}

export interface SurveyResult {
  readonly items: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly unselected: number;
  readonly broken: number;
  /** The first few. */
  readonly brokenRows: readonly BrokenRow[];
  readonly notApplicable: number;
  readonly tasks: TaskForecast;
  /** Calls by service. */
  readonly calls: ReadonlyMap<string, number>;
  readonly unsent: readonly Unsent[];
  readonly misfits: readonly Misfit[];
  readonly lines: readonly Line[];
  readonly assumptions: readonly Assumed[];
  readonly fetched: readonly FetchedBytes[];
  readonly headers: { readonly read: number; readonly unreadable: number; readonly of: number };
  readonly digest: LibraryDigest;
}

type LookedTask = LookedItem['tasks'][number];

const mostReasons = 100;
const mostExamples = 3;
const mostStrata = 2000;
const mostBrokenRows = 10;

/** The reason of those beyond the first hundred; a pipeline has few, but strangers' rows may bring many. */
const otherReasons = 'other reasons';

export class Survey {
  readonly #foresight: Pick<Foresight, 'readFates' | 'markSeen' | 'keepMedia'>;
  readonly #uses: ReadonlyMap<string, ServiceUse>;
  readonly #isSampled: boolean;
  readonly #digest = new Digest();
  readonly #kinds = new Map<string, number>();
  readonly #tasks = { calls: 0, reused: 0, joined: 0, waiting: 0, failed: 0, held: 0, skipped: 0 };
  readonly #calls = new Map<string, number>();
  readonly #unsent = new Map<string, { -readonly [Key in keyof Unsent]: Unsent[Key] }>();
  readonly #misfits = new Map<string, { -readonly [Key in keyof Misfit]: Misfit[Key] }>();
  readonly #lines = new Map<string, Line>();
  readonly #assumed = new Map<string, { tasks: number; examples: { item: string; why?: string }[] }>();
  readonly #fetches = new Fetches();
  /** By service, and by what makes tasks of it alike. */
  readonly #strata = new Map<string, Map<string, Stratum>>();
  /** Why headers of the page at hand could not be read, by item. */
  readonly #unread = new Map<string, string>();
  #items = 0;
  #unselected = 0;
  #broken = 0;
  readonly #brokenRows: BrokenRow[] = [];
  #notApplicable = 0;
  #headersRead = 0;
  #headersUnreadable = 0;
  #headers = 0;

  constructor(
    foresight: Pick<Foresight, 'readFates' | 'markSeen' | 'keepMedia'>,
    uses: readonly ServiceUse[],
    isSampled: boolean,
  ) {
    this.#foresight = foresight;
    this.#uses = new Map(uses.map((use) => [use.name, use]));
    this.#isSampled = isSampled;
  }

  get items(): number {
    return this.#items;
  }

  get headersRead(): number {
    return this.#headersRead;
  }

  /** Media outside the limits that is asked all the same. */
  noteMisfit(item: Item, service: string, why: string): void {
    const reason = shorten(why);
    const key = JSON.stringify([service, reason]);
    const found = this.#misfits.get(key);
    if (found) found.tasks += 1;
    else if (this.#misfits.size < mostReasons)
      this.#misfits.set(key, { service, reason, tasks: 1, example: item.id });
  }

  /** For examples of what could not be read. */
  noteUnread(item: Item, why: string): void {
    if (this.#unread.size < 1000) this.#unread.set(item.id, why);
  }

  async add(page: LookedPage): Promise<void> {
    this.#unselected += page.unselected;
    this.#broken += page.broken.length;
    this.#brokenRows.push(...page.broken.slice(0, mostBrokenRows - this.#brokenRows.length));
    const open = page.items.flatMap(({ tasks }) => tasks.filter(({ skip }) => skip === undefined));
    const fates = await this.#foresight.readFates(open.map(({ reuseKey }) => reuseKey));
    const unfated = open.filter(({ reuseKey }) => !fates.has(reuseKey));
    const firsts = await this.#foresight.markSeen(unfated.map(({ reuseKey }) => reuseKey));
    const joined = new Set(unfated.filter((_, index) => !firsts[index]));
    for (const item of page.items) this.#addItem(item, fates, joined);
    await this.#foresight.keepMedia(
      new Map(
        page.items.flatMap(({ contentId, media }) =>
          contentId && media ? [[contentId, media] as const] : [],
        ),
      ),
    );
    this.#unread.clear();
  }

  read(): SurveyResult {
    this.#scaleUp();
    return {
      items: this.#items,
      kinds: Object.fromEntries(this.#kinds),
      unselected: this.#unselected,
      broken: this.#broken,
      brokenRows: this.#brokenRows,
      notApplicable: this.#notApplicable,
      tasks: { ...this.#tasks },
      calls: this.#calls,
      unsent: [...this.#unsent.values()].sort((one, other) => other.tasks - one.tasks),
      misfits: [...this.#misfits.values()],
      lines: [...this.#lines.values()],
      assumptions: [...this.#assumed].map(([text, found]) => ({ text, ...found })),
      fetched: this.#fetches.read(),
      headers: { read: this.#headersRead, unreadable: this.#headersUnreadable, of: this.#headers },
      digest: this.#digest.read(),
    };
  }

  #addItem(looked: LookedItem, fates: ReadonlyMap<string, Fate>, joined: ReadonlySet<LookedTask>): void {
    const { item, tasks, notApplicable, contentId, header } = looked;
    const kind = item.kind ?? 'none';
    this.#items += 1;
    this.#notApplicable += notApplicable;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    this.#digest.add(contentId ?? item.id, kind);
    if (header !== undefined) this.#headers += 1;
    if (header === 'read' && this.#unread.has(item.id)) this.#headersUnreadable += 1;
    else if (header === 'read') this.#headersRead += 1;
    for (const task of tasks) {
      const fate = fates.get(task.reuseKey);
      const unasked = this.#explainUnasked(looked, task, fates);
      if (task.skip !== undefined) this.#leave(item, task, 'skipped', task.skip);
      else if (fate) this.#settle(item, task, fate);
      else if (unasked !== undefined) this.#leave(item, task, 'skipped', unasked);
      else if (joined.has(task)) this.#tasks.joined += 1;
      else this.#send(looked, task);
    }
  }

  /** Why a task with `when` will not be asked whatever the vendor says: the other service has no answer to give. */
  #explainUnasked(
    { tasks }: LookedItem,
    { service }: LookedTask,
    fates: ReadonlyMap<string, Fate>,
  ): string | undefined {
    const when = this.#uses.get(service)?.when;
    if (!when) return undefined;
    const other = tasks.find((one) => one.service === when.service);
    const fate = other && fates.get(other.reuseKey)?.state;
    const state = other?.skip === undefined ? (fate ?? 'planned') : 'skipped';
    // What was answered before may let it go or not: its answer is looked at when the run comes to it.
    const step = decideWhen(when, other && { state: state === 'reused' ? 'planned' : state });
    return step.next === 'skip' ? step.reason : undefined;
  }

  #settle(item: Item, task: LookedTask, { state, reason }: Fate): void {
    if (state === 'failed' || state === 'held') this.#leave(item, task, state, reason);
    else this.#tasks[state] += 1;
  }

  #leave(item: Item, { service }: LookedTask, state: Unsent['state'], why: string): void {
    this.#tasks[state] += 1;
    const known = this.#unsent.size < mostReasons ? shorten(why) : otherReasons;
    const key = JSON.stringify([service, state, known]);
    const found = this.#unsent.get(key);
    if (found) found.tasks += 1;
    else this.#unsent.set(key, { service, state, reason: known, tasks: 1, example: item.id });
  }

  #send(looked: LookedItem, task: LookedTask): void {
    const { item, header } = looked;
    this.#tasks.calls += 1;
    this.#calls.set(task.service, (this.#calls.get(task.service) ?? 0) + 1);
    this.#fetches.add(looked);
    const assumptions = task.usage.assumptions ?? [];
    const when = this.#uses.get(task.service)?.when;
    if (when)
      this.#assume(
        `every item meets the condition of ${task.service}, ${formatCondition(when)}: an upper bound`,
        1,
      );
    if (this.#isSampled && header !== undefined && this.#isPricedByHeader(task)) {
      const stratum = this.#findStratum(task.service, item);
      if (header === 'read') stratum.look(task.usage.units, assumptions);
      else stratum.pass(task.usage.units, assumptions);
      return;
    }
    const basis = assumptions.length > 0 ? 'assumed' : task.usage.basis;
    for (const [sku, units] of Object.entries(task.usage.units)) {
      const line = this.#findLine(task.account, sku);
      line.byBasis[basis] += units;
    }
    for (const text of assumptions) this.#assume(text, 1, item);
  }

  #isPricedByHeader({ service }: LookedTask): boolean {
    const use = this.#uses.get(service);
    return (use?.service.pricedBy?.(use.options) ?? []).length > 0;
  }

  /** What was looked at stands for the rest, service by service. */
  #scaleUp(): void {
    for (const [service, strata] of this.#strata) {
      const account = this.#uses.get(service)?.account.name ?? '';
      // Looks that saw nothing say nothing of the others, however alike they are.
      const scaled = this.#headersRead === 0 ? undefined : extrapolate(strata.values());
      if (!scaled) this.#guess(account, strata.values());
      for (const [sku, { units, low, high }] of scaled?.units ?? []) {
        const line = this.#findLine(account, sku);
        line.byBasis.sampled += units;
        line.low += low - units;
        line.high += high - units;
      }
      for (const [text, tasks] of scaled?.assumed ?? []) this.#assume(text, tasks);
    }
    this.#strata.clear();
  }

  /** Too few were looked at to say anything of the others. */
  #guess(account: string, strata: Iterable<Stratum>): void {
    for (const { units, assumed, guessed, guesses } of strata) {
      for (const [sku, { sum }] of units) this.#findLine(account, sku).byBasis.assumed += sum;
      for (const [sku, sum] of guessed) this.#findLine(account, sku).byBasis.assumed += sum;
      for (const [text, tasks] of [...assumed, ...guesses]) this.#assume(text, tasks);
    }
  }

  #assume(text: string, tasks: number, item?: Item): void {
    const found = this.#assumed.get(text) ?? { tasks: 0, examples: [] };
    found.tasks += tasks;
    if (item && found.examples.length < mostExamples) {
      const why = this.#unread.get(item.id);
      found.examples.push({ item: item.id, ...(why !== undefined && { why }) });
    }
    this.#assumed.set(text, found);
  }

  #findLine(account: string, sku: string): Line {
    const key = JSON.stringify([account, sku]);
    let line = this.#lines.get(key);
    if (!line) {
      const byBasis = { observed: 0, estimated: 0, sampled: 0, assumed: 0 };
      line = { account, sku, byBasis, low: 0, high: 0 };
      this.#lines.set(key, line);
    }
    return line;
  }

  #findStratum(service: string, item: Item): Stratum {
    const strata = this.#strata.get(service) ?? new Map<string, Stratum>();
    this.#strata.set(service, strata);
    const name = strata.size < mostStrata ? nameStratum(item) : '';
    const stratum = strata.get(name) ?? new Stratum();
    strata.set(name, stratum);
    return stratum;
  }
}

/** The reason without what is the item's own: of most, what stands behind the first colon. */
function shorten(why: string): string {
  const reason = classifyReason(why);
  return /^(?:fit|when|no-link): /.test(reason) ? reason : (reason.split(':', 1)[0] ?? reason);
}

/** Files of one ending and about the same size (within a factor of two) are alike. */
function nameStratum({ kind, key, url, sizeBytes }: Item): string {
  const path = key ?? url?.split(/[?#]/, 1)[0] ?? '';
  const ending = /\.([a-z\d]{1,5})$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  const size = sizeBytes === undefined || sizeBytes < 1 ? '' : Math.floor(Math.log2(sizeBytes));
  return `${kind ?? ''} ${ending} ${size}`;
}
