/**
 * A stratified sample: tasks alike (service, format, size) form a stratum, of which some were looked at. What these used
 * on average stands for all of it.
 *
 * Total = sum of N x mean over the strata; its variance = sum of N^2 x (1 - n / N) x s^2 / n, N tasks of which n were
 * looked at, s^2 the variance among these; the interval is 1.96 standard errors to each side (Cochran, Sampling
 * Techniques, 5.3). Strata with fewer than two looks tell no variance and are taken together.
 */
import type { Units } from '../../domain/usage.ts';

/** 95 % of a normal distribution lie within as many standard deviations. */
const deviations = 1.96;

interface Sums {
  sum: number;
  squares: number;
}

export class Stratum {
  tasks = 0;
  looks = 0;
  /** By SKU, of those that were looked at. */
  readonly units = new Map<string, Sums>();
  /** By text, of those that were looked at. */
  readonly assumed = new Map<string, number>();
  /** Units by SKU and tasks by text of those that were not, for want of anything better. */
  readonly guessed = new Map<string, number>();
  readonly guesses = new Map<string, number>();

  /** A task that was looked at. */
  look(units: Units, assumptions: readonly string[]): void {
    this.tasks += 1;
    this.looks += 1;
    for (const [sku, count] of Object.entries(units)) {
      const sums = this.units.get(sku) ?? { sum: 0, squares: 0 };
      sums.sum += count;
      sums.squares += count * count;
      this.units.set(sku, sums);
    }
    for (const text of assumptions) add(this.assumed, text, 1);
  }

  /** A task that was not, with what assumptions make of it. */
  pass(units: Units, assumptions: readonly string[]): void {
    this.tasks += 1;
    for (const [sku, count] of Object.entries(units)) add(this.guessed, sku, count);
    for (const text of assumptions) add(this.guesses, text, 1);
  }

  merge(other: Stratum): void {
    this.tasks += other.tasks;
    this.looks += other.looks;
    for (const [sku, { sum, squares }] of other.units) {
      const sums = this.units.get(sku) ?? { sum: 0, squares: 0 };
      this.units.set(sku, { sum: sums.sum + sum, squares: sums.squares + squares });
    }
    for (const [text, count] of other.assumed) add(this.assumed, text, count);
  }
}

export interface Extrapolation {
  /** By SKU. */
  readonly units: ReadonlyMap<
    string,
    { readonly units: number; readonly low: number; readonly high: number }
  >;
  /** By text: about how many tasks of the library an assumption stands in for. */
  readonly assumed: ReadonlyMap<string, number>;
}

/** The strata of one service, scaled up. `undefined` where fewer than two of its tasks were looked at. */
export function extrapolate(strata: Iterable<Stratum>): Extrapolation | undefined {
  const whole = gather([...strata]);
  if (!whole) return undefined;
  const totals = new Map<string, { total: number; variance: number; least: number }>();
  const assumed = new Map<string, number>();
  for (const { tasks, looks, units, assumed: texts } of whole) {
    for (const [sku, { sum, squares }] of units) {
      // One task that is its whole stratum leaves nothing to chance.
      const spread = looks < 2 ? 0 : Math.max(0, (squares - (sum * sum) / looks) / (looks - 1));
      const all = totals.get(sku) ?? { total: 0, variance: 0, least: 0 };
      all.total += (tasks * sum) / looks;
      all.variance += (tasks * tasks * (1 - looks / tasks) * spread) / looks;
      all.least += sum;
      totals.set(sku, all);
    }
    for (const [text, count] of texts) add(assumed, text, Math.round((tasks * count) / looks));
  }
  const units = [...totals].map(([sku, { total, variance, least }]) => {
    const reach = deviations * Math.sqrt(variance);
    const low = Math.max(least, Math.floor(total - reach));
    return [sku, { units: Math.round(total), low, high: Math.ceil(total + reach) }] as const;
  });
  return { units: new Map(units), assumed };
}

/** Strata that say too little alone are taken together, and with the largest of the others as long as need be. */
function gather(strata: readonly Stratum[]): readonly Stratum[] | undefined {
  const telling = strata.filter(({ looks, tasks }) => looks >= 2 || looks === tasks);
  const rest = new Stratum();
  for (const stratum of strata) if (!telling.includes(stratum)) rest.merge(stratum);
  if (rest.tasks === 0) return telling;
  if (rest.looks >= 2) return [...telling, rest];
  const others = telling.toSorted((one, other) => one.tasks - other.tasks);
  for (let largest = others.pop(); largest; largest = others.pop()) {
    rest.merge(largest);
    if (rest.looks >= 2) return [...others, rest];
  }
  return undefined;
}

function add(sums: Map<string, number>, name: string, count: number): void {
  sums.set(name, (sums.get(name) ?? 0) + count);
}
