/** What each service was charged, and how many items it flagged: the price of a finding. */
import { meets, type Policy } from '../../domain/policy.ts';
import type { Nano } from '../../domain/pricing.ts';
import type { JudgedItem } from '../judged-item.ts';

export interface ServiceCost {
  readonly service: string;
  readonly charge: Nano;
  /** Items that have an answer of it, reused ones too. */
  readonly answers: number;
  /** Items on which a rule about it led to review or block. */
  readonly flagged: number;
}

export interface ServiceCosts {
  readonly add: (row: JudgedItem) => void;
  /** In the order of the services given. */
  readonly list: () => readonly ServiceCost[];
}

export function makeServiceCosts(
  services: readonly { readonly name: string }[],
  policy: Policy,
): ServiceCosts {
  const sums = new Map(services.map(({ name }) => [name, { charge: 0n, answers: 0, flagged: 0 }]));
  const rules = policy.rules.filter(({ verdict }) => verdict !== 'pass');
  return {
    add({ tasks }) {
      for (const { service, charge, finding } of tasks) {
        const sum = sums.get(service);
        if (!sum) continue;
        sum.charge += charge;
        if (!finding) continue;
        sum.answers += 1;
        if (rules.some((rule) => rule.service === service && meets(rule, finding))) sum.flagged += 1;
      }
    },
    list: () => [...sums].map(([service, sum]) => ({ service, ...sum })),
  };
}

/** Rounded to a billionth; absent where nothing was flagged. */
export function divideCharge(charge: Nano, flagged: number): Nano | undefined {
  if (flagged <= 0) return undefined;
  const by = BigInt(flagged);
  return (charge * 2n + by) / (by * 2n);
}
