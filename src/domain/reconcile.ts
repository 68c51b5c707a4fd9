/** A vendor's own count of usage laid beside ours: what agrees, what only one of the two knows, what differs. Pure. */
import type { UsageSums } from './cost.ts';
import { formatNano } from './money.ts';
import type { Nano } from './pricing.ts';

/** What one line of an export, or several that mean the same, says. */
export interface TheirSums {
  readonly units?: number | undefined;
  readonly amount?: Nano | undefined;
}

export const reconciliations = ['matched', 'differs', 'theirs-only', 'ours-only'] as const;
export type Reconciliation = (typeof reconciliations)[number];

/** What is laid side by side: a day or the month of a SKU, or a job of it. */
export interface ReconciledKey {
  /** `YYYY-MM-DD`, or the month where the export has no days. */
  readonly when: string;
  readonly sku: string;
  /** Id of the vendor's job, where the export has ids. */
  readonly id?: string | undefined;
}

export interface ReconciledRow extends ReconciledKey {
  readonly is: Reconciliation;
  readonly theirs?: TheirSums | undefined;
  readonly ours?: UsageSums | undefined;
  /** What may explain a difference. */
  readonly note: string;
}

export function addTheirs(one: TheirSums | undefined, other: TheirSums): TheirSums {
  const add = <Value extends number | bigint>(
    a: Value | undefined,
    b: Value | undefined,
    sum: (a: Value, b: Value) => Value,
  ) => (a === undefined ? b : b === undefined ? a : sum(a, b));
  return {
    units: add(one?.units, other.units, (a, b) => a + b),
    amount: add(one?.amount, other.amount, (a, b) => a + b),
  };
}

/**
 * Units must be the same; amounts may lie apart by the tolerance, since vendors round theirs. What they charge for units
 * that we have no price for is a difference too.
 */
export function reconcile(
  key: ReconciledKey,
  theirs: TheirSums | undefined,
  ours: UsageSums | undefined,
  tolerance: Nano,
): ReconciledRow {
  const sides = { ...key, ...(theirs && { theirs }), ...(ours && { ours }) };
  if (!theirs) return { ...sides, is: 'ours-only', note: ours ? describeOurs(ours) : '' };
  if (!ours) return { ...sides, is: 'theirs-only', note: '' };
  const units = ours.observed + ours.estimated;
  const isCounted = theirs.units === undefined || theirs.units === units;
  const isPaid = theirs.amount === undefined || distance(theirs.amount, ours.charge) <= tolerance;
  if (isCounted && isPaid) return { ...sides, is: 'matched', note: '' };
  const notes = [
    ...(isCounted
      ? []
      : [`units: ${sign((theirs.units ?? 0) - units)}`, ...explainUnits(theirs.units ?? 0, units, ours)]),
    ...(isPaid ? [] : [`amount: ${describeApart(theirs.amount ?? 0n, ours.charge)}`]),
    ...(isPaid || ours.isComplete ? [] : ['a price of ours is missing']),
    ...(isPaid || ours.pack === 0
      ? []
      : [
          `${ours.pack} units of ours went through packs: our charge bears their share of the cost, a bill may not`,
        ]),
  ];
  return { ...sides, is: 'differs', note: notes.join('; ') };
}

function explainUnits(theirs: number, ours: number, { uncertain, estimated }: UsageSums): readonly string[] {
  const more = theirs - ours;
  if (more > 0 && more <= uncertain) return [`within the ${uncertain} uncertain units of ours`];
  return [
    ...(uncertain > 0 ? [`${uncertain} units of ours are uncertain besides`] : []),
    ...(estimated > 0 ? [`${estimated} units of ours are estimated`] : []),
  ];
}

function describeOurs({ observed, estimated, uncertain }: UsageSums): string {
  if (observed + estimated === 0 && uncertain > 0)
    return `${uncertain} uncertain units: not billed after all`;
  return '';
}

function describeApart(theirs: Nano, ours: Nano): string {
  const apart = theirs - ours;
  return apart > 0n ? `+${formatNano(apart)}` : formatNano(apart);
}

function sign(count: number): string {
  return count > 0 ? `+${count}` : String(count);
}

function distance(one: Nano, other: Nano): Nano {
  return one > other ? one - other : other - one;
}

/** Which entries have been matched, in a bit each: a ledger has millions. */
export class Marks {
  #bits = new Uint8Array(1024);

  /** False where it was marked before. */
  mark(id: number): boolean {
    const byte = id >>> 3;
    if (byte >= this.#bits.length) {
      const wider = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2));
      wider.set(this.#bits);
      this.#bits = wider;
    }
    const before = this.#bits[byte] ?? 0;
    const bit = 1 << (id & 7);
    this.#bits[byte] = before | bit;
    return (before & bit) === 0;
  }

  has(id: number): boolean {
    return ((this.#bits[id >>> 3] ?? 0) & (1 << (id & 7))) !== 0;
  }
}
