/**
 * Recorded exchanges as files: `test/fixtures/<vendor>/exchanges/<what>.json` for the service `<vendor>/<what>`, each a
 * list with at least an answer, an empty answer and a refusal. The contract suite iterates them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const element = z.strictObject({
  ref: z.string(),
  link: z.string().optional(),
  item: z.record(z.string(), z.unknown()).default({}),
});

const exchange = z.strictObject({
  title: z.string(),
  is: z.enum(['answer', 'empty', 'refusal', 'other']),
  /** Which of the service's two readers the reply is for. */
  of: z.enum(['submission', 'job']),
  options: z.record(z.string(), z.unknown()).default({}),
  model: z.string().optional(),
  delivery: z.enum(['call', 'poll', 'callback', 'sync']).optional(),
  isBatch: z.boolean().default(false),
  /** For `of: job`. */
  job: z.string().default('1'),
  elements: z.array(element).default([{ ref: 'ref-1', link: 'https://media.example/one', item: {} }]),
  reply: z.strictObject({
    status: z.number(),
    headers: z.record(z.string(), z.string()).default({}),
    /** The exact text, or JSON that is sent compact. */
    body: z.string().optional(),
    json: z.unknown().optional(),
  }),
  /** One (partial) outcome per element: what stands here must be in the outcome, with lists of the same length. */
  expected: z.array(z.record(z.string(), z.unknown())),
});

export type RecordedExchange = z.infer<typeof exchange>;

/** Reads the exchanges of a service; none where there is no file. */
export function loadExchanges(service: string): readonly RecordedExchange[] {
  const [vendor, what] = service.split('/');
  const path = new URL(`../fixtures/${vendor}/exchanges/${what}.json`, import.meta.url);
  return existsSync(path) ? z.array(exchange).parse(JSON.parse(readFileSync(path, 'utf8'))) : [];
}
