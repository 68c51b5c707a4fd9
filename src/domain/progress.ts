/** Where a run stands at the moment, for whoever watches it. */
import type { Spending } from './caps.ts';

export interface Progress {
  /** Items selected so far. */
  readonly listed: number;
  readonly isListed: boolean;
  /** Tasks planned so far that need a call. */
  readonly planned: number;
  /** Tasks whose submission left. */
  readonly asked: number;
  readonly answered: number;
  /** Open at the vendors. */
  readonly atVendor: number;
  readonly failed: number;
  readonly held: number;
  /** Calls that were, or will be, made again. */
  readonly repeated: number;
  /** Tasks that a cap kept from being sent. */
  readonly overCap?: number | undefined;
  /** Money used and reserved, and how far the caps have come. */
  readonly spending?: Spending | undefined;
}
