/** What is outside the program, and the servers and bounds that every command uses it with. */
import type { Clock } from '../domain/clock.ts';
import type { Handler } from '../domain/exchange.ts';
import { serve, type ServeOptions } from '../wire/server.ts';

/** What `main.ts` brings: all that is outside the program. */
export interface Outside {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** The folder that the program was started in. */
  readonly folder: string;
  /** The folder that holds the program's own `pipelines/` and `config/rehearsal/`. */
  readonly home: string;
  readonly version: string;
  readonly processId: number;
  readonly standardInput: AsyncIterable<unknown>;
  /** Aborts with the name of the signal as its reason. */
  readonly stop: AbortSignal;
}

/** One header is read in windows far below this; the bound is for servers that ignore ranges. */
export const probeLimits = { maxBytes: 1024 * 1024, timeoutMs: 30_000 };

/** What a stand-in vendor downloads at most, and what our servers take at most. */
export const mediaLimits = { maxBytes: 64 * 1024 * 1024, timeoutMs: 60_000 };

export const callLimits = { maxBytes: 64 * 1024, timeoutMs: 10_000 };

/** A callback may hold the whole result of a long video. What strangers send is refused before it is read. */
const callbackLimits = { maxBodyBytes: 8 * 1024 * 1024, timeoutMs: 10_000, maxConnections: 64 };

export const serveCallbacks = (
  desk: Required<Pick<ServeOptions, 'refuse'>> & { readonly handler: Handler },
  address: { readonly host: string; readonly port: number },
) => serve(desk.handler, { ...callbackLimits, refuse: desk.refuse, ...address });

/** For the doctor, which asks itself only whether the address can be listened on. */
export const serveTrial = (handler: Handler, address: { readonly host: string; readonly port: number }) =>
  serve(handler, { ...callbackLimits, ...address });

export const serveMedia = (handler: Handler, address?: { readonly host: string; readonly port: number }) =>
  serve(handler, { maxBodyBytes: mediaLimits.maxBytes, timeoutMs: mediaLimits.timeoutMs, ...address });
