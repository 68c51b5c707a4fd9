/** What the manual leaves open, as switches of the stand-in. */
import { z } from 'zod';

export const switches = z.strictObject({
  checksSignatures: z.boolean().default(true).describe('refuse requests whose signature does not fit'),
  intervalBounds: z
    .tuple([z.number(), z.number()])
    .readonly()
    .default([0, 10])
    .describe("bounds of vframe.interval; the manual's error table says 0 to 10, its parameters 1 to 60"),
  keepsEmptyFrames: z.boolean().default(false).describe('show frames without a finding too'),
  errorBody: z
    .enum(['code and error', 'error', 'code and message'])
    .default('code and error')
    .describe('form of an error body'),
  callbacks: z.enum(['once', 'dropped', 'twice']).default('once').describe('what becomes of a callback'),
  callbackScheme: z
    .enum(['none', 'QBox', 'Qiniu'])
    .default('none')
    .describe('how a callback is signed; v1 documents no signature'),
  callbackDelayMs: z
    .number()
    .min(0)
    .default(0)
    .describe('milliseconds from the end of a job to its callback'),
  reschedules: z.boolean().default(false).describe('jobs take the detour over RESCHEDULED'),
});

export type QiniuSwitches = Readonly<z.output<typeof switches>>;
