/** The stand-in in a test's hands: a clock that moves only when told, media from the fixtures, signed calls. */
import { readFileSync } from 'node:fs';
import type { Clock } from '../../../src/domain/clock.ts';
import {
  type EmulatorFaults,
  type EmulatorTools,
  type KnownMedia,
  noFaults,
} from '../../../src/domain/emulator.ts';
import type { Call, Reply, ServerAnswer, ServerRequest, UrlReader } from '../../../src/domain/exchange.ts';
import type { Account } from '../../../src/domain/settings.ts';
import { openQiniuEmulator, qiniuEmulator } from '../../../src/vendors/qiniu/emulator.ts';
import type { QiniuSwitches } from '../../../src/vendors/qiniu/emulator/switches.ts';
import { qiniu } from '../../../src/vendors/qiniu/index.ts';

export const clipUrl = 'http://127.0.0.1:9000/media/clip.mp4';
export const clipHash = '4711a966ab1f611988f174a951182872082f258d331df3223c3d5c6c88519ef2';
/** By ffprobe. */
export const clipFacts: KnownMedia = {
  durationSeconds: 26.4,
  width: 64,
  height: 48,
  framesPerSecond: 5,
  keyFramesMs: [0, 4800, 7200, 19000],
};

export function readFixture(name: string): Buffer {
  return readFileSync(new URL(`../../fixtures/qiniu/${name}`, import.meta.url));
}

export const account: Account = {
  name: 'stand-in',
  vendor: qiniu,
  endpoint: 'http://127.0.0.1:8080',
  credentials: qiniuEmulator.credentials,
  limits: { concurrency: 8, perSecond: 10, maxOpenJobs: 100 },
  billing: {},
  booking: { refused: 'free', modelFailed: 'billed', failedJob: 'billed' },
  assume: {},
  returnsEmptyFrames: false,
  isLoopback: true,
};

/** Serves fixtures by the last part of the URL's path; counts the reads. */
export function makeReader(): UrlReader & { readonly urls: string[] } {
  const urls: string[] = [];
  return {
    urls,
    read: async (url, start, end) => {
      urls.push(url);
      try {
        const bytes = readFixture(new URL(url).pathname.split('/').at(-1) ?? '');
        return { ok: true, bytes: bytes.subarray(start, end), totalBytes: bytes.length };
      } catch {
        return { ok: false, status: 404, message: 'not found' };
      }
    },
  };
}

export interface HandClock extends Clock {
  advance(ms: number): Promise<void>;
}

/** Lets everything that waits for no time come to rest. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function makeClock(startMs = Date.UTC(2026, 10, 20, 2, 0, 0)): HandClock {
  let now = startMs;
  let timers: { at: number; ring: () => void }[] = [];
  return {
    now: () => now,
    monotonic: () => now - startMs,
    sleep: (ms) =>
      ms <= 0
        ? Promise.resolve()
        : new Promise((ring) => {
            timers.push({ at: now + ms, ring });
          }),
    advance: async (ms) => {
      const target = now + ms;
      await settle();
      for (;;) {
        const [next] = timers.toSorted((a, b) => a.at - b.at);
        if (!next || next.at > target) break;
        timers = timers.filter((one) => one !== next);
        now = next.at;
        next.ring();
        await settle();
      }
      now = target;
    },
  };
}

export interface Posted {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function openStandIn(
  given: {
    readonly faults?: Partial<EmulatorFaults>;
    readonly switches?: Partial<QiniuSwitches>;
    readonly known?: ReadonlyMap<string, KnownMedia>;
  } = {},
) {
  const clock = makeClock();
  const reader = makeReader();
  const posted: Posted[] = [];
  const tools: EmulatorTools = {
    reader,
    clock,
    credentials: qiniuEmulator.credentials,
    faults: { ...noFaults, jobMs: 1000, ...given.faults },
    knownMedia: given.known ?? new Map([[clipHash, clipFacts]]),
    callBack: async (url, headers, body) => {
      posted.push({ url, headers, body });
      return 200;
    },
  };
  const emulator = openQiniuEmulator(tools, given.switches);
  /** Signs a call as the client does, and sends it. */
  const send = async (call: Call): Promise<Reply> => {
    const signed = qiniu.sign(call, account, clock.now());
    return readAnswer(await emulator.handler(receive(signed.url, signed)));
  };
  return { clock, reader, posted, emulator, send };
}

/** A request as the server would hand it on. */
export function receive(
  address: string,
  sent: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string | undefined;
  },
): ServerRequest {
  const url = new URL(address);
  const headers = Object.entries(sent.headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method: sent.method,
    path: url.pathname,
    query: url.search.slice(1),
    headers: { host: url.host, ...Object.fromEntries(headers) },
    body: Buffer.from(sent.body ?? ''),
  };
}

export function readAnswer(answer: ServerAnswer): Reply {
  const body = typeof answer.body === 'string' ? answer.body : new TextDecoder().decode(answer.body);
  return { status: answer.status, headers: answer.headers ?? {}, body };
}

/** A reply with a JSON body. */
export function replyWith(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}
