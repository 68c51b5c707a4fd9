/** Reads byte ranges of links that others wrote (manifests, callers of emulators), from allowed addresses only. */
import { Agent, type Dispatcher, request } from 'undici';
import type { UrlReader } from '../domain/exchange.ts';
import { isLoopbackAddress, isPublicAddress } from './address.ts';
import { nameCause } from './cause.ts';
import { type AddressRule, makeGuardedConnect } from './guarded-connect.ts';

export interface UrlReaderOptions {
  /** Also reads from private, loopback and link-local addresses. */
  readonly allowPrivateAddresses: boolean;
  /** What a person may do about an address that was refused; ends the sentence `... is not a public address`. */
  readonly advice?: string | undefined;
  /** Most bytes that one read takes over the wire, also those before `start` of a server that ignores ranges. */
  readonly maxBytes: number;
  /** Milliseconds for one read, its redirects included. */
  readonly timeoutMs: number;
}

export type OpenUrlReader = UrlReader & { close(): Promise<void> };

type ReadResult = Awaited<ReturnType<UrlReader['read']>>;
type Limits = Pick<UrlReaderOptions, 'maxBytes' | 'timeoutMs'>;
type Answer = Dispatcher.ResponseData<unknown>;

/** One read's needs on its way through redirects. */
interface Reading {
  readonly agent: Agent;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  readonly start: number;
  readonly end: number;
}

const maxRedirects = 3;

/** A reader for links of manifests: public addresses only, unless told otherwise. */
export function makeUrlReader(options: UrlReaderOptions): OpenUrlReader {
  const allows = options.allowPrivateAddresses ? () => true : isPublicAddress;
  return openReader({ allows, refusal: `not a public address${options.advice ?? ''}` }, options);
}

/** A reader for emulators: addresses of this machine only. */
export function makeLoopbackReader(limits: Limits): OpenUrlReader {
  return openReader({ allows: isLoopbackAddress, refusal: 'not a loopback address' }, limits);
}

function openReader(rule: AddressRule, limits: Limits): OpenUrlReader {
  const agent = new Agent({ connections: 64, connect: makeGuardedConnect(rule, limits.timeoutMs) });
  return {
    async read(url, start, end) {
      if (end <= start) return { ok: true, bytes: new Uint8Array(0) };
      // A read is rare and large beside a paid call, so a signal of its own costs nothing that matters.
      const signal = AbortSignal.timeout(limits.timeoutMs);
      try {
        return await readRange({ agent, limits, signal, start, end }, url);
      } catch (error) {
        if (signal.aborted) return fail(`not read within ${limits.timeoutMs} ms`);
        return fail(nameCause(error));
      }
    },
    // What is still being read at the end is for nobody.
    close: () => agent.destroy(),
  };
}

async function readRange(reading: Reading, firstUrl: string): Promise<ReadResult> {
  let url = firstUrl;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const scheme = URL.canParse(url) ? new URL(url).protocol : '';
    if (scheme !== 'http:' && scheme !== 'https:')
      return fail('not a link that begins with http:// or https://');
    const answer = await requestRange(reading, url);
    const location = answer.headers['location'];
    if (!isRedirect(answer.statusCode) || typeof location !== 'string') return takeAnswer(reading, answer);
    answer.body.destroy();
    if (!URL.canParse(location, url)) return fail(`a redirect (${answer.statusCode}) to a broken link`);
    url = new URL(location, url).href;
  }
  return fail(`more than ${maxRedirects} redirects`);
}

async function requestRange(reading: Reading, url: string): Promise<Answer> {
  const answer = await request(url, {
    dispatcher: reading.agent,
    signal: reading.signal,
    headers: { range: `bytes=${reading.start}-${reading.end - 1}`, 'accept-encoding': 'identity' },
  });
  // A destroyed body reports itself; whoever destroys it has already said why.
  answer.body.on('error', () => undefined);
  return answer;
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

async function takeAnswer(reading: Reading, answer: Answer): Promise<ReadResult> {
  const { start, end } = reading;
  const contentType = firstOf(answer.headers['content-type']);
  if (answer.statusCode === 206) {
    const range = readContentRange(firstOf(answer.headers['content-range']));
    if (range?.start !== start) {
      answer.body.destroy();
      return fail(`the server sent another range than bytes ${start} to ${end - 1}`, 206);
    }
    const taken = await takeBytes(answer, 0, end - start, reading.limits.maxBytes);
    return taken instanceof Uint8Array
      ? { ok: true, bytes: taken, totalBytes: range.totalBytes, contentType }
      : taken;
  }
  if (answer.statusCode === 200) {
    const length = firstOf(answer.headers['content-length']);
    const totalBytes = length === undefined ? undefined : Number(length);
    if (Math.min(end, totalBytes ?? end) > reading.limits.maxBytes) {
      answer.body.destroy();
      return fail(
        `the server ignores ranges, and the bytes asked for are beyond its first ${reading.limits.maxBytes}`,
        200,
      );
    }
    const taken = await takeBytes(answer, start, end, reading.limits.maxBytes);
    return taken instanceof Uint8Array ? { ok: true, bytes: taken, totalBytes, contentType } : taken;
  }
  answer.body.destroy();
  return fail(`the server answered ${answer.statusCode}`, answer.statusCode);
}

/** Bytes `start` to `end` of a body; what follows is not waited for, and more than `maxBytes` in all is a failure. */
async function takeBytes(
  answer: Answer,
  start: number,
  end: number,
  maxBytes: number,
): Promise<Uint8Array | ReadResult> {
  const chunks: Buffer[] = [];
  let position = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    const used = chunk.subarray(0, Math.max(0, end - position));
    if (position + used.length > maxBytes)
      return fail(`answer larger than ${maxBytes} bytes`, answer.statusCode);
    if (position + used.length > start) chunks.push(used.subarray(Math.max(0, start - position)));
    position += chunk.length;
    // Reading on to a natural end keeps the connection usable.
    if (position > end) break;
  }
  return Buffer.concat(chunks);
}

function readContentRange(text = ''): { start: number; totalBytes?: number | undefined } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(text.trim());
  if (match === null) return undefined;
  return { start: Number(match[1]), totalBytes: match[2] === '*' ? undefined : Number(match[2]) };
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

function fail(message: string, status?: number): ReadResult {
  return status === undefined ? { ok: false, message } : { ok: false, status, message };
}
