/** A vendor and its stand-in without a socket: signs a call as dispatch does and hands it to the stand-in's handler. */
import type { Emulator, EmulatorEntry, EmulatorFaults, EmulatorSwitches } from '../../src/domain/emulator.ts';
import { noFaults } from '../../src/domain/emulator.ts';
import type { Call, Reply, ServerRequest, SignedCall, UrlReader } from '../../src/domain/exchange.ts';
import type { Vendor } from '../../src/domain/service.ts';
import type { Account } from '../../src/domain/settings.ts';
import { defaultLimits } from '../../src/domain/settings.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export function makeAccount(vendor: Vendor, credentials: Readonly<Record<string, string>>): Account {
  return {
    name: `${vendor.name}-test`,
    vendor,
    endpoint: 'http://127.0.0.1:9001',
    credentials,
    limits: defaultLimits,
    billing: {},
    booking: { refused: 'free', modelFailed: 'billed', failedJob: 'billed' },
    assume: {},
    returnsEmptyFrames: false,
    isLoopback: true,
  };
}

export interface EmulatedVendor {
  readonly emulator: Emulator;
  readonly clock: VirtualClock;
  readonly account: Account;
  /** Signs and sends; `undefined` where the connection broke. */
  readonly send: (call: Call) => Promise<Reply | undefined>;
}

/** Opens the stand-in with a store of media by URL; any other URL is answered by 404. */
export function emulateVendor(
  vendor: Vendor,
  entry: EmulatorEntry,
  media: ReadonlyMap<string, Uint8Array>,
  faults: Partial<EmulatorFaults> = {},
  switches: EmulatorSwitches = {},
): EmulatedVendor {
  const clock = new VirtualClock();
  const tools = {
    clock,
    reader: readFrom(media),
    credentials: entry.credentials,
    faults: { ...noFaults, ...faults },
    knownMedia: new Map(),
    callBack: () => Promise.resolve(200),
  };
  const emulator = entry.open(tools, switches);
  const account = makeAccount(vendor, entry.credentials);
  return {
    emulator,
    clock,
    account,
    send: async (call) => {
      const request = receive(vendor.sign(call, account, clock.now()));
      const answer = await clock.drive(emulator.handler(request));
      if (answer.fault) return undefined;
      const body = typeof answer.body === 'string' ? answer.body : new TextDecoder().decode(answer.body);
      return { status: answer.status, headers: answer.headers ?? {}, body };
    },
  };
}

/** What a server sees of a signed call. */
export function receive(call: SignedCall): ServerRequest {
  const url = new URL(call.url);
  const headers = Object.entries(call.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    method: call.method,
    path: url.pathname,
    query: url.search.slice(1),
    headers: { host: url.host, ...Object.fromEntries(headers) },
    body: new TextEncoder().encode(call.body ?? ''),
  };
}

function readFrom(media: ReadonlyMap<string, Uint8Array>): UrlReader {
  return {
    read: (url, start, end) => {
      const bytes = media.get(url);
      return Promise.resolve(
        bytes
          ? { ok: true, bytes: bytes.subarray(start, end), totalBytes: bytes.length }
          : { ok: false, status: 404, message: 'not found' },
      );
    },
  };
}
