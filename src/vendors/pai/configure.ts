/** The vendor's `configure` keys as option shapes, and the object that is sent. */
import { z } from 'zod';

/** A whole number from 1 to 10, as all `*_top_k` are. */
export function declareTopK(what: string, standard: number) {
  const error = 'expected a whole number from 1 to 10. Vendor\'s manual, "Configure parameters".';
  return z
    .int({ error })
    .min(1, { error })
    .max(10, { error })
    .default(standard)
    .describe(`${what}; a whole number from 1 to 10, default ${standard}`);
}

/** A switch for a part of the answer. */
export function declareSwitch(what: string) {
  return z.boolean().default(true).describe(`${what}; true or false, default true`);
}

/** The keys that posts and video labels share (SDK manual 2024-08-26, "Configure parameters"). */
export const classifyOptions = z.strictObject({
  output_classification: declareSwitch('whether to return classes'),
  classification_top_k: declareTopK('how many classes to return at most', 1),
  output_tag: declareSwitch('whether to return labels'),
  tag_top_k: declareTopK('how many labels to return at most', 5),
  output_embedding: declareSwitch('whether to return the feature vector, which goes to the JSONL only'),
});

/** The options of services whose `configure` is always empty. */
export const noOptions = z.strictObject({});

/**
 * What is sent as `configure`, keys sorted as the Go SDK does. Keys at their documented default are left out: the
 * vendor then does the same, and a custom model never meets a key that nobody asked for.
 */
export function makeConfigure(
  shape: z.ZodType,
  options: object,
): Readonly<Record<string, unknown>> | undefined {
  const defaults = new Map(Object.entries(shape.safeParse({}).data ?? {}));
  const asked = Object.entries(options)
    .filter(([key, value]) => value !== undefined && value !== defaults.get(key))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return asked.length === 0 ? undefined : Object.fromEntries(asked);
}
