/** Draws lots among items: always the same for an item, so that a larger share holds the smaller one. */
import { createHash } from 'node:crypto';

/** What is drawn for; each draws by itself, so that the sample of an estimate is no part of `select.sample`. */
export type LotPurpose = 'select' | 'estimate' | 'canary';

/** From 0 to below 1, by the item's name alone. */
export function drawLot(id: string, purpose: LotPurpose): number {
  const name = purpose === 'select' ? id : `${purpose}\n${id}`;
  return createHash('sha256').update(name).digest().readUIntBE(0, 6) / 2 ** 48;
}
