/** Receives vendors' callbacks. What they say is never believed: a callback only makes us read the job sooner. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Handler } from '../domain/exchange.ts';
import { groupBy } from '../domain/group.ts';
import type { Account, Pipeline } from '../domain/settings.ts';

const prefix = '/callback/';

/** The unguessable path of one run and account: an HMAC of the account's secrets and the run's id. */
export function makeCallbackPath(account: Account, run: string): string {
  const key = Object.entries(account.credentials)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
  return `${prefix}${createHmac('sha256', key).update(`callback\n${account.name}\n${run}`).digest('hex')}`;
}

export interface CallbackDesk {
  readonly handler: Handler;
  /** The status that a request is refused with, before its body is read; undefined where it is for us. */
  readonly refuse: (method: string, path: string) => number | undefined;
}

/** Takes only POST to a path of `paths`, answers at once, and hands the reference that the body names to `hint`. */
export function makeCallbackDesk(
  paths: ReadonlyMap<string, Account>,
  hint: (account: Account, ref: string) => void,
): CallbackDesk {
  const known = [...paths].map(([path, account]) => ({ path: Buffer.from(path), account }));
  const find = (given: Buffer) =>
    known.find(({ path }) => path.length === given.length && timingSafeEqual(path, given))?.account;
  const refuse: CallbackDesk['refuse'] = (method, path) => {
    if (!find(Buffer.from(path))) return 404;
    return method === 'POST' ? undefined : 405;
  };
  const handler: Handler = async (request) => {
    const account = find(Buffer.from(request.path));
    const body = Buffer.from(request.body).toString('utf8');
    for (const service of account?.vendor.services ?? []) {
      const ref = service.readCallback?.(body);
      if (ref !== undefined && account) {
        hint(account, ref);
        break;
      }
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
  const accounts = new Map(
    request.services
      .filter(({ delivery, account }) => delivery === 'callback' && account.callback !== undefined)
      .map(({ account }) => [account.name, account]),
  );
  const paths = new Map(
    [...accounts.values()].map((account) => [makeCallbackPath(account, request.run), account]),
  );
  const desk = makeCallbackDesk(paths, request.hint);
  const listens = groupBy(
    [...accounts.values()].flatMap(({ callback }) => (callback ? [callback.listen] : [])),
    ({ host, port }) => `${host}:${port}`,
  );
  const servers: Listening[] = [];
  for (const [address] of listens.values()) if (address) servers.push(await request.serve(desk, address));
  return {
    hookUrl: (account) =>
      account.callback && `${account.callback.publicUrl}${makeCallbackPath(account, request.run)}`,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
