/** Stand-ins for the vendors: the same wire on loopback, for the rehearsal, for tests and for anyone's own trials. */
import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { Handler, UrlReader } from './exchange.ts';
import type { Units } from './usage.ts';

/** Chances from 0 to 1 that a request meets the fault; decided by `seed` and the request's number, so it replays. */
export interface EmulatorFaults {
  readonly seed: string;
  /** Answer 429 (PAI) or 573 (Qiniu) instead of doing anything. */
  readonly slowDown: number;
  /** Answer 500 or 503 without doing anything. */
  readonly serverError: number;
  /** Destroy the connection without doing anything. */
  readonly resetBefore: number;
  /** Do the work, bill it, and destroy the connection instead of answering. */
  readonly resetAfter: number;
  /** A job ends as failed, or an image call is refused by the model. */
  readonly modelFailure: number;
  /** Milliseconds added to every answer. */
  readonly delayMs: number;
  /** Milliseconds from the submission of a job to its end. */
  readonly jobMs: number;
}

export const noFaults: EmulatorFaults = {
  seed: 'none',
  slowDown: 0,
  serverError: 0,
  resetBefore: 0,
  resetAfter: 0,
  modelFailure: 0,
  delayMs: 0,
  jobMs: 400,
};

/** What is known beforehand of media that an emulator may be sent, by SHA-256 of the bytes (lower-case hex). */
export interface KnownMedia {
  readonly durationSeconds?: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond?: number | undefined;
  /** Milliseconds of the key frames. */
  readonly keyFramesMs?: readonly number[] | undefined;
}

export interface EmulatorTools {
  readonly reader: UrlReader;
  readonly clock: Clock;
  /** Credential fields under the vendor's names, e.g. `appId` and `token`. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly faults: EmulatorFaults;
  readonly knownMedia: ReadonlyMap<string, KnownMedia>;
  /** POSTs a callback; answers the status, or undefined where nobody answered. */
  readonly callBack: (
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ) => Promise<number | undefined>;
}

/** What an emulator has seen; also served as JSON at `GET /_emulator/state`. */
export interface EmulatorState {
  /** Every request but those to `/_emulator/`. */
  readonly requests: number;
  /** Submissions that were carried out, and so billed or failed. */
  readonly submissions: number;
  /** How often each reference (Qiniu's vid, PAI's media URL without query) was submitted and carried out. */
  readonly submitted: Readonly<Record<string, number>>;
  readonly units: Units;
  readonly openJobs: number;
  /** Most requests that were in progress at once, and most that began in any one second. */
  readonly peakConcurrency: number;
  readonly peakPerSecond: number;
}

export interface Emulator {
  readonly vendor: string;
  readonly handler: Handler;
  readonly state: () => EmulatorState;
}

/** What the vendor's documents leave open, by name; `POST /_emulator/switches` changes them while it runs. */
export type EmulatorSwitches = Readonly<Record<string, unknown>>;

/** One line per vendor, beside the catalogue. */
export interface EmulatorEntry {
  readonly vendor: string;
  /** Credentials that the emulator takes when none are given. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Strict shape of the switches; each with description and default. */
  readonly switches: z.ZodObject;
  /** Throws a `ZodError` for switches that are not of the shape. */
  readonly open: (tools: EmulatorTools, switches?: EmulatorSwitches) => Emulator;
}
