/** Receives vendors' callbacks. What they say is never believed: a callback only makes us read the job sooner. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Handler } from '../domain/exchange.ts';
import { groupBy } from '../domain/group.ts';
import type { Account, Pipeline } from '../domain/settings.ts';

const prefix = '/callback/';

/** The unguessable path of one run and account: an HMAC of the account's secrets and the run's id. */
function makeCallbackPath(account: Account, run: string): string {
  const key = Object.entries(account.credentials)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
  return `${prefix}${createHmac('sha256', key).update(`callback\n${account.name}\n${run}`).digest('hex')}`;
}

/** Where the vendor is to call back for jobs of this account and run; undefined for an account without `callback:`. */
export function makeHookUrl(account: Account, run: string): string | undefined {
  return account.callback && `${account.callback.publicUrl}${makeCallbackPath(account, run)}`;
}

/** Accounts of these services that are to be called back, each once. */
export function findCalledBack(services: Pipeline['services']): readonly Account[] {
  const called = services.filter(({ delivery, account }) => delivery === 'callback' && account.callback);
  return [...new Map(called.map(({ account }) => [account.name, account])).values()];
}

export interface CallbackDesk {
  readonly handler: Handler;
  /** The status that a request is refused with, before its body is read; undefined where it is for us. */
  readonly refuse: (method: string, path: string) => number | undefined;
}

/** One path that may be called. */
export interface CallbackPath {
  readonly account: Account;
  readonly run: string;
  /** As `makeCallbackPath` makes it, in bytes. */
  readonly path: Buffer;
}

export function openPath(account: Account, run: string): CallbackPath {
  return { account, run, path: Buffer.from(makeCallbackPath(account, run)) };
}

/**
 * Takes only POST to one of the paths, and hands the reference that the body names to `hint`. Answers 200 at once, or 503
 * where the hint could not be passed on.
 */
export function makeCallbackDesk(
  paths: () => Iterable<CallbackPath>,
  hint: (to: CallbackPath, ref: string) => Promise<void> | void,
): CallbackDesk {
  const find = (given: Buffer): CallbackPath | undefined => {
    for (const one of paths()) {
      if (one.path.length === given.length && timingSafeEqual(one.path, given)) return one;
    }
    return undefined;
  };
  const refuse: CallbackDesk['refuse'] = (method, path) => {
    if (!find(Buffer.from(path))) return 404;
    return method === 'POST' ? undefined : 405;
  };
  const handler: Handler = async (request) => {
    const found = find(Buffer.from(request.path));
    const body = Buffer.from(request.body).toString('utf8');
    for (const service of found?.account.vendor.services ?? []) {
      const ref = service.readCallback?.(body);
      if (ref === undefined || !found) continue;
      try {
        await hint(found, ref);
      } catch {
        return { status: 503 };
      }
      break;
    }
    return { status: 200 };
  };
  return { handler, refuse };
}

export interface Callbacks {
  /** Where the vendor calls back for jobs of this account; undefined for an account without `callback:`. */
  readonly hookUrl: (account: Account) => string | undefined;
  readonly close: () => Promise<void>;
}

interface Listening {
  readonly close: () => Promise<void>;
}

/** Listens for the callbacks of a run, on each address that an account with `delivery: callback` names. */
export async function openCallbacks(request: {
  readonly services: Pipeline['services'];
  readonly run: string;
  readonly serve: (
    desk: CallbackDesk,
    address: { readonly host: string; readonly port: number },
  ) => Promise<Listening>;
  readonly hint: (account: Account, ref: string) => void;
}): Promise<Callbacks> {
  const accounts = findCalledBack(request.services);
  const paths = accounts.map((account) => openPath(account, request.run));
  const desk = makeCallbackDesk(
    () => paths,
    ({ account }, ref) => request.hint(account, ref),
  );
  const listens = groupBy(
    accounts.flatMap(({ callback }) => (callback ? [callback.listen] : [])),
    ({ host, port }) => `${host}:${port}`,
  );
  const servers: Listening[] = [];
  for (const [address] of listens.values()) if (address) servers.push(await request.serve(desk, address));
  return {
    hookUrl: (account) => makeHookUrl(account, request.run),
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
