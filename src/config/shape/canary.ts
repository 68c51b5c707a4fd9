/** What may stand in `canary:` of a pipeline. */
import { z } from 'zod';
import { type CanaryComparator, canaryComparators } from '../../domain/canary.ts';
import { parseMoney } from '../../domain/money.ts';
import { type Money, parsedText, parseShare } from './scalar.ts';

/** Splits `> 5%` into its comparator and the rest. */
function split(text: string): { readonly comparator: CanaryComparator; readonly rest: string } | undefined {
  const comparator = canaryComparators.find((one) => text.trim().startsWith(one));
  return comparator && { comparator, rest: text.trim().slice(comparator.length).trim() };
}

const failedShape = parsedText('a comparison with a share, such as "> 5%" (operators: < <= > >=)', (text) => {
  const parts = split(text);
  const share = parts && (/^0+(?:\.0+)?\s*%?$/.test(parts.rest) ? 0 : parseShare(parts.rest));
  return parts && share !== undefined ? { comparator: parts.comparator, share } : undefined;
});

const chargePerItemShape = parsedText<Money & { readonly comparator: CanaryComparator }>(
  'a comparison with an amount of money, such as "> 0.02 CNY" (operators: < <= > >=)',
  (text) => {
    const parts = split(text);
    const money = parts && parseMoney(parts.rest);
    return parts && money ? { comparator: parts.comparator, ...money } : undefined;
  },
);

export const stopIfShape = z.strictObject({
  failed: failedShape.optional().meta({
    description: "Share of the canary's tasks that failed, of those that came to an end by a call.",
    examples: ['> 5%'],
  }),
  chargePerItem: chargePerItemShape.optional().meta({
    description: 'What an item costs at the tier of the month, free quota and packs left aside.',
    examples: ['> 0.02 CNY'],
  }),
});

export const canaryShape = z.strictObject({
  items: z
    .int()
    .min(1)
    .max(10_000)
    .default(200)
    .meta({
      description: 'How many items go first, drawn evenly over the library.',
      examples: [200],
    }),
  stopIf: stopIfShape.meta({
    description: 'When the rest does not follow: exit 4. `run --resume` goes on all the same.',
  }),
});
