/** What a submission asks for, checked in the order in which the stand-in refuses. */
import { z } from 'zod';
import { readJson } from '../../emulation.ts';

export const emulatedOps = ['politician', 'pulp', 'terror'] as const;
export type EmulatedOp = (typeof emulatedOps)[number];

export interface Filter {
  readonly label: string;
  readonly select?: number | undefined;
  readonly score?: number | undefined;
}

export interface AskedCheck {
  readonly op: EmulatedOp;
  readonly filters: readonly Filter[];
}

export interface Asked {
  readonly vid: string;
  readonly uri: string;
  readonly isAsync: boolean;
  readonly mode: 0 | 1;
  readonly intervalSeconds: number;
  readonly save?: { readonly bucket: string; readonly prefix: string } | undefined;
  readonly hookUrl?: string | undefined;
  readonly checks: readonly AskedCheck[];
  /** As received; echoed by the job. */
  readonly request: unknown;
}

const filter = z.object({ label: z.string(), select: z.number().optional(), score: z.number().optional() });
const written = z.object({
  data: z.object({ uri: z.string().min(1) }),
  params: z
    .object({
      async: z.boolean().default(false),
      vframe: z.object({ mode: z.number().default(1), interval: z.number().default(0) }).prefault({}),
      save: z.object({ bucket: z.string().default(''), prefix: z.string().default('') }).optional(),
      hookURL: z.string().optional(),
    })
    .prefault({}),
  ops: z
    .array(
      z.object({ op: z.string(), params: z.object({ labels: z.array(filter).default([]) }).prefault({}) }),
    )
    .default([]),
});

/**
 * Reads a submission, or answers the vendor's literal text of what is wrong with it: JSON, `data.uri`, ops, mode,
 * interval, in this order. An interval of 0 means the default.
 */
export function readAsked(
  vid: string,
  body: Uint8Array,
  intervalBounds: readonly [number, number],
): Asked | { readonly error: string } {
  const request = readJson(new TextDecoder().decode(body));
  const parsed = written.safeParse(request);
  if (!parsed.success) return { error: 'invalid parameters' };
  const { data, params, ops } = parsed.data;
  const checks = ops.flatMap(({ op, params: { labels } }) => {
    const known = emulatedOps.find((one) => one === op);
    return known === undefined ? [] : [{ op: known, filters: labels }];
  });
  if (ops.length === 0 || checks.length < ops.length) return { error: 'bad op' };
  const { mode, interval } = params.vframe;
  if (mode !== 0 && mode !== 1) return { error: 'invalid mode, allow mode is [0, 1]' };
  const [least, most] = intervalBounds;
  if (interval < least || interval > most) {
    return { error: `invalid interval, allow mode is [${least}, ${most}]` };
  }
  return {
    vid,
    uri: data.uri,
    isAsync: params.async,
    mode,
    intervalSeconds: interval === 0 ? 5 : interval,
    save: params.save?.bucket ? params.save : undefined,
    hookUrl: params.hookURL,
    checks,
    request,
  };
}
