/** Receives vendors' callbacks. What they say is never believed: a callback only makes us read the job sooner. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Handler } from '../domain/exchange.ts';
import type { Account } from '../domain/settings.ts';

const prefix = '/callback/';

/** The unguessable path of one run and account: an HMAC of the account's secrets and the run's id. */
export function makeCallbackPath(account: Account, run: string): string {
  const key = Object.entries(account.credentials)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
  return `${prefix}${createHmac('sha256', key).update(`callback\n${account.name}\n${run}`).digest('hex')}`;
}

/** Takes only POST to a path of `paths`, answers at once, and hands the reference that the body names to `hint`. */
export function makeCallbackHandler(
  paths: ReadonlyMap<string, Account>,
  hint: (account: Account, ref: string) => void,
): Handler {
  const known = [...paths].map(([path, account]) => ({ path: Buffer.from(path), account }));
  return async (request) => {
    const given = Buffer.from(request.path);
    const match = known.find(({ path }) => path.length === given.length && timingSafeEqual(path, given));
    if (!match) return { status: 404 };
    if (request.method !== 'POST') return { status: 405 };
    const body = Buffer.from(request.body).toString('utf8');
    for (const service of match.account.vendor.services) {
      const ref = service.readCallback?.(body);
      if (ref !== undefined) {
        hint(match.account, ref);
        break;
      }
    }
    return { status: 200 };
  };
}
