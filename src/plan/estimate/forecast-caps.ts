/** Whether a run would come up against its caps. Pure. */
import { concerns, type CapStand } from '../../domain/caps.ts';
import type { CapForecast, EstimatedSku } from '../../domain/estimate.ts';
import type { Account } from '../../domain/settings.ts';

/** Units without a price weigh nothing against a cap on money. */
export function forecastCaps(
  caps: readonly CapStand[],
  skus: readonly EstimatedSku[],
  accounts: ReadonlyMap<string, Account>,
): readonly CapForecast[] {
  return caps.map((cap) => {
    const concerned = skus.filter(({ account: name, sku }) => {
      const account = accounts.get(name);
      return account && concerns(cap, account) && (cap.sku === undefined || cap.sku === sku);
    });
    const expected = concerned.reduce(
      (sum, { units, charge }) => sum + (cap.sku === undefined ? charge : BigInt(units)),
      0n,
    );
    return { ...cap, expected, isHit: expected > 0n && cap.spent + cap.reserved + expected > cap.limit };
  });
}
