/** Both vendors' stand-ins without a socket, under any clock: what a dispatcher sends reaches them at once, or meets its fate. */
import type { Clock } from '../../src/domain/clock.ts';
import { type Emulator, type EmulatorFaults, noFaults } from '../../src/domain/emulator.ts';
import type { Http, Sent, ServerRequest, SignedCall, UrlReader } from '../../src/domain/exchange.ts';
import { findService } from '../../src/domain/service.ts';
import type { Account, ServiceUse } from '../../src/domain/settings.ts';
import type { LibraryFile } from '../../src/rehearsal/library.ts';
import { emulators } from '../../src/vendors/emulators.ts';
import { catalogue } from '../../src/vendors/index.ts';
import { makeToyAccount } from '../support/toy-catalogue.ts';

/** What becomes of a call on its way; `carried-out` where only the answer is lost. */
export type WayFate = 'arrives' | 'not-sent' | 'lost' | 'carried-out';

export interface VendorsAtHand {
  readonly http: Http;
  readonly emulators: ReadonlyMap<string, Emulator>;
  readonly setFaults: (vendor: string, faults: Partial<EmulatorFaults>) => Promise<void>;
  /** How many requests met which fate, or were answered with which status, by vendor. */
  readonly seen: ReadonlyMap<string, number>;
}

const endpointOf = (vendor: string): string => `http://${vendor}.example`;

/** Every link leads to the library's first file of the kind that its ending names. */
function readLibrary(library: readonly LibraryFile[]): UrlReader {
  return {
    read: async (url, start, end) => {
      const ending = new URL(url).pathname.split('.').at(-1) ?? '';
      const file = library.find(({ path }) => path.endsWith(`.${ending}`));
      if (!file) return { ok: false, status: 404, message: 'no such file' };
      const bytes = file.bytes.subarray(start, end);
      return { ok: true, bytes, totalBytes: file.bytes.length, contentType: file.mediaType };
    },
  };
}

export function openVendors(
  clock: Clock,
  library: readonly LibraryFile[],
  decide: (vendor: string, call: SignedCall) => WayFate,
): VendorsAtHand {
  const seen = new Map<string, number>();
  const opened = new Map(
    emulators.map(({ vendor, credentials, open }) => {
      const faults = { ...noFaults, jobMs: 20_000, delayMs: 300 };
      const reader = readLibrary(library);
      const callBack = () => Promise.resolve(undefined);
      return [vendor, open({ reader, clock, credentials, faults, knownMedia: new Map(), callBack })];
    }),
  );
  const ask = async (vendor: string, request: ServerRequest): Promise<Sent> => {
    const emulator = opened.get(vendor);
    if (!emulator) throw new Error(`no stand-in of ${vendor}`);
    const answer = await emulator.handler(request);
    if (answer.fault !== undefined) return { phase: 'unknown', cause: 'read ECONNRESET' };
    const body = Buffer.from(answer.body ?? '').toString('utf8');
    return { phase: 'answered', reply: { status: answer.status, headers: answer.headers ?? {}, body } };
  };
  const http: Http = {
    send: async (call, { timeoutMs }) => {
      const { hostname, pathname, search } = new URL(call.url);
      const vendor = hostname.split('.')[0] ?? '';
      const fate = decide(vendor, call);
      const sent = await (async (): Promise<Sent> => {
        if (fate === 'not-sent') return { phase: 'not-sent', cause: 'connect ECONNREFUSED' };
        if (fate === 'lost') {
          await clock.sleep(timeoutMs);
          return { phase: 'unknown', cause: `no complete answer within ${timeoutMs} ms` };
        }
        const headers = Object.fromEntries(
          Object.entries(call.headers).map(([name, value]) => [name.toLowerCase(), value]),
        );
        const answered = await ask(vendor, {
          method: call.method,
          path: pathname,
          query: search.slice(1),
          headers: { host: hostname, ...headers },
          body: Buffer.from(call.body ?? ''),
        });
        return fate === 'carried-out' ? { phase: 'unknown', cause: 'read ECONNRESET' } : answered;
      })();
      const name = `${vendor} ${sent.phase === 'answered' ? sent.reply.status : `${fate} ${sent.phase}`}`;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      return sent;
    },
  };
  const setFaults = async (vendor: string, faults: Partial<EmulatorFaults>): Promise<void> => {
    const body = Buffer.from(JSON.stringify(faults));
    await ask(vendor, { method: 'POST', path: '/_emulator/faults', query: '', headers: {}, body });
  };
  return { http, emulators: opened, setFaults, seen };
}

/** A service of a real vendor on an account of its stand-in. */
export function useService(
  name: string,
  limits: Account['limits'],
  changes: Partial<ServiceUse> = {},
): ServiceUse {
  const found = findService(catalogue, name);
  if (!found) throw new Error(`no service "${name}"`);
  const { service, vendor } = found;
  const { credentials = {} } = emulators.find((one) => one.vendor === vendor.name) ?? {};
  const account = makeToyAccount({
    name: `${vendor.name}-test`,
    vendor,
    endpoint: endpointOf(vendor.name),
    credentials,
    limits,
  });
  return {
    name,
    service,
    account,
    options: service.options.parse(service.exampleOptions),
    model: '',
    unitsPerCall: 1,
    batch: 1,
    delivery: service.deliveries[0] ?? 'call',
    ...changes,
  };
}
