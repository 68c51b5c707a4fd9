/** One exchange with a vendor: sign, send within the deadline, and hand back the phase it reached. */
import type { Clock } from '../domain/clock.ts';
import type { Call, Http, Reply, Sent } from '../domain/exchange.ts';
import type { ArchivedReply } from '../domain/ledger.ts';
import { redactLinks } from '../domain/link.ts';
import type { Refusal } from '../domain/outcome.ts';
import type { Account } from '../domain/settings.ts';

/** Largest reply that is read: an image of 32 MB in base64, and some. */
const maxReplyBytes = 48 * 1024 * 1024;

/** Signs and sends one call of an account. The fate of a gateway's 502 and 504 is the vendor's translator's to tell. */
export async function sendCall(
  call: Call,
  account: Account,
  outside: { readonly clock: Clock; readonly http: Http },
  timeoutMs: number,
): Promise<Sent> {
  const signed = account.vendor.sign(call, account, outside.clock.now());
  return await outside.http.send(signed, { timeoutMs, maxBytes: maxReplyBytes });
}

/** The reply as the ledger keeps it: links without their queries, so that no signature is stored. */
export function archive(reply: Reply): ArchivedReply {
  return { status: reply.status, body: redactLinks(reply.body) };
}

/** The vendor's words without the queries of links, which may carry signatures. */
export function redactRefusal(refusal: Refusal): Refusal {
  const message = redactLinks(refusal.message);
  return message === refusal.message ? refusal : { ...refusal, message };
}

/** Seconds by which our clock is ahead of the vendor's, by the reply's Date; undefined where it names none. */
export function readSkewSeconds(reply: Reply, nowMs: number): number | undefined {
  const theirs = Date.parse(reply.headers['date'] ?? '');
  return Number.isNaN(theirs) ? undefined : Math.round((nowMs - theirs) / 1000);
}
