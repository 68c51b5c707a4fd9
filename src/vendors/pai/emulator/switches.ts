/** What the manual and its samples leave open, as switches of the stand-in. */
import { z } from 'zod';

const asSampled = 'as sampled';

export const switches = z.strictObject({
  resultTail: z
    .enum([asSampled, 'always', 'never'])
    .default(asSampled)
    .describe('whether Result ends in a line feed; as sampled: for a single video by label only'),
  duration: z
    .enum([asSampled, 'int', 'float'])
    .default(asSampled)
    .describe('duration in whole seconds or with a fraction; as sampled: whole for a single VideoQA only'),
  embeddings: z
    .union([z.literal(asSampled), z.int().min(1).max(4096)])
    .default(asSampled)
    .describe('numbers in embedding_result of videos; as sampled: 64 for one video, 22 in a batch'),
  jobFields: z
    .enum([asSampled, 'always', 'never'])
    .default(asSampled)
    .describe('whether ended jobs show model_id, request_id and type; as sampled: posts only'),
  outOfRange: z
    .enum(['clamp', 'refuse'])
    .default('clamp')
    .describe('what becomes of a configure value outside its range'),
  batchOrder: z
    .enum(['submitted', 'reversed'])
    .default('submitted')
    .describe('order of the elements when a batch is read'),
  customModels: z
    .record(z.string(), z.strictObject({ like: z.string().default(''), units: z.int().min(1).default(1) }))
    .default({})
    .describe('models made for a customer, by model_name: which model they answer like, and units a call'),
});

export type PaiSwitches = Readonly<z.output<typeof switches>>;
