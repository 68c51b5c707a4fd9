/** The text of a plan file: made from an estimate, read back with its hash checked. Pure. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Estimate } from '../domain/estimate.ts';
import { formatNano, parseNano, writeKnownCharge } from '../domain/money.ts';
import type { Plan } from '../domain/plan.ts';
import { type PriceBook, priceOf, type SkuPrice } from '../domain/pricing.ts';
import { wrongUse } from '../domain/problem.ts';

const format = 'mediasweep plan';
const version = 1;

const hashShape = z.string().regex(/^[\da-f]{64}$/);
const moneyShape = z.string().refine((text) => parseNano(text) !== undefined);
const countShape = z.int().min(0);

const planShape = z.strictObject({
  pipeline: z.string(),
  createdAt: z.iso.datetime(),
  limit: countShape.optional(),
  config: z.record(z.string(), hashShape),
  items: z.strictObject({
    items: countShape,
    sum: z.string().regex(/^[\da-f]{32}$/),
    least: z.array(z.string().regex(/^[\da-f]{16}$/)).max(512),
  }),
  calls: countShape,
  skus: z.array(
    z.strictObject({
      account: z.string(),
      sku: z.string(),
      units: countShape,
      basis: z.string(),
      monthSoFar: countShape,
      charge: moneyShape.nullable(),
      complete: z.boolean(),
      price: z.string(),
    }),
  ),
  total: z.strictObject({ charge: moneyShape.nullable(), currency: z.string(), complete: z.boolean() }),
  assumptions: z.array(z.strictObject({ text: z.string(), tasks: countShape })),
  durationSeconds: z.number().min(0),
});

const fileShape = z.object({ format: z.literal(format), version: z.number(), sha256: hashShape });

/** What an estimate comes to as a plan. `config` are hashes of the configuration's parts. */
export function makePlan(
  estimate: Estimate,
  {
    config,
    limit,
    prices,
  }: { readonly config: Plan['config']; readonly limit?: number | undefined; readonly prices: PriceBook },
): Plan {
  const { total, duration } = estimate;
  return {
    pipeline: estimate.pipeline,
    createdAt: estimate.at,
    ...(limit !== undefined && { limit }),
    config,
    items: estimate.digest,
    calls: estimate.tasks.calls,
    skus: estimate.skus.map((sku) => ({
      account: sku.account,
      sku: sku.sku,
      units: sku.units,
      basis: sku.basis,
      monthSoFar: sku.monthSoFar,
      charge: writeKnownCharge(sku) ?? null,
      complete: sku.isComplete,
      price: describePrice(priceOf(prices, sku.sku)),
    })),
    total: { charge: writeKnownCharge(total) ?? null, currency: total.currency, complete: total.isComplete },
    assumptions: estimate.assumptions.map(({ text, tasks }) => ({ text, tasks })),
    durationSeconds: duration.seconds,
  };
}

/** SHA-256 of the plan in its canonical form: JSON without spaces, the keys of every map sorted. */
export function hashPlan(plan: Plan): string {
  const sortKeys = (_: string, value: unknown): unknown =>
    typeof value !== 'object' || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
  return createHash('sha256').update(JSON.stringify(plan, sortKeys)).digest('hex');
}

export function writePlanText(plan: Plan): string {
  return `${JSON.stringify({ format, version, sha256: hashPlan(plan), ...plan }, null, 2)}\n`;
}

/** @throws `Stop` with exit 2 where the text is no plan, one of another version, or was changed */
export function readPlanText(text: string, path: string): { readonly plan: Plan; readonly sha256: string } {
  const where = `plan "${path}"`;
  const again = 'Make it again: mediasweep estimate PIPELINE --plan-out FILE';
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw wrongUse(`${where}: expected a plan of mediasweep, found what is no JSON. ${again}`);
  }
  const head = fileShape.safeParse(data);
  if (!head.success) throw wrongUse(`${where}: expected a plan of mediasweep, found another JSON. ${again}`);
  if (head.data.version !== version) {
    throw wrongUse(
      `${where}: expected version ${version}, found ${head.data.version}: another program wrote it. ${again}`,
    );
  }
  const { format: _, version: __, sha256: ___, ...rest } = data as Record<string, unknown>;
  const read = planShape.safeParse(rest);
  const changed = `${where}: it was changed after it was written`;
  if (!read.success) {
    throw wrongUse(
      `${changed}: ${read.error.issues[0]?.path.join('.') || 'a key'} is not as a plan has it. ${again}`,
    );
  }
  const sha256 = hashPlan(read.data);
  if (sha256 !== head.data.sha256) {
    throw wrongUse(`${changed}: expected sha256 ${head.data.sha256}, found ${sha256}. ${again}`);
  }
  return { plan: read.data, sha256 };
}

/** `0.155/100 up to 3000000, 0.145/100; 200 free once`; `unknown` where there is none. */
function describePrice({ tiers, per, free, increment }: SkuPrice): string {
  if (!tiers) return 'unknown';
  const steps = tiers.map(({ upTo, price }) => {
    const bound = upTo === undefined ? '' : ` up to ${upTo}`;
    return `${formatNano(price)}${per === 1 ? '' : `/${per}`}${bound}`;
  });
  return [
    steps.join(', '),
    ...(free ? [`${free.units} free ${free.per === 'once' ? 'once' : 'a month'}`] : []),
    ...(increment === undefined ? [] : [`in steps of ${increment}`]),
  ].join('; ');
}
