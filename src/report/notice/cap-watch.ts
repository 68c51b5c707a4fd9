/** Notices caps that are nearly used up, each once. */
import type { CapStand } from '../../domain/caps.ts';
import { parseNano } from '../../domain/money.ts';
import type { Summary } from '../../domain/summary.ts';

export type WatchedCap = Pick<CapStand, 'name' | 'sku' | 'spent' | 'reserved' | 'limit'>;

/** In per cent of the cap: beyond it a person may want to act. */
const nearly = 80n;

export interface CapWatch {
  /** Caps that passed the mark since the look before. */
  readonly look: (caps: readonly WatchedCap[]) => readonly WatchedCap[];
}

/** A cap that was beyond the mark at the first look is not told of: the run that took it there has told. */
export function makeCapWatch(): CapWatch {
  let known: Set<string> | undefined;
  return {
    look(caps) {
      const beyond = caps.filter(({ spent, limit }) => spent * 100n >= limit * nearly);
      const fresh = known ? beyond.filter(({ name }) => !known?.has(name)) : [];
      known = new Set([...(known ?? []), ...beyond.map(({ name }) => name)]);
      return fresh;
    },
  };
}

/** The caps as a summary has them. */
export function readCaps({ caps = [] }: Pick<Summary, 'caps'>): readonly WatchedCap[] {
  const read = (amount: string | number) =>
    typeof amount === 'number' ? BigInt(amount) : (parseNano(amount) ?? 0n);
  return caps.map(({ cap, sku, spent, reserved, limit }) => ({
    name: cap,
    sku,
    spent: read(spent),
    reserved: read(reserved),
    limit: read(limit),
  }));
}
