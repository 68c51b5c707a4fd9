/** PAI's answer envelope `{ request_id, code, message, data }`, read leniently and without losing digits of ids. */
import { z } from 'zod';
import type { Reply } from '../../domain/exchange.ts';

const shape = z.looseObject({
  code: z.string(),
  message: z.string().nullish(),
  data: z.unknown().optional(),
});

export interface Envelope {
  readonly code: string;
  readonly message: string;
  /** An object for most services, a bare string for two models, absent on failure. */
  readonly data: unknown;
}

/**
 * Ids are JSON numbers, and JavaScript keeps only 53 bits of one. Quoting the long ones before parsing keeps every
 * digit. A quote inside a JSON string is escaped, so text that merely looks like such a field is left alone.
 */
const longId = /(?<!\\)"(job_id|batch_id|app_id|id)"(\s*:\s*)(\d{16,})(?=\s*[,}\]])/g;

/** `undefined` where the body is not a complete envelope. */
export function readEnvelope(reply: Reply): Envelope | undefined {
  const parsed = shape.safeParse(readJson(reply.body.replace(longId, '"$1"$2"$3"')));
  if (!parsed.success) return undefined;
  const { code, message, data } = parsed.data;
  return { code, message: message ?? '', data: data ?? undefined };
}

/** Whether the reply reports success: both the status and the code must say so. */
export function isSuccess(reply: Reply, envelope: Envelope): boolean {
  return isGoodStatus(reply.status) && envelope.code === 'OK';
}

export function isGoodStatus(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Parses JSON, white space around it included; `undefined` where it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An id as text, whether it came as a number or as a string; only what can stand in a path as it is. */
export const idShape = z
  .union([z.number().int().nonnegative(), z.string().regex(/^[\w*-]{1,64}$/)])
  .transform((id) => String(id));
