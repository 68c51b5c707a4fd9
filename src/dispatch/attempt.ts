/** One exchange with a vendor: sign, send within the deadline, and hand back the phase it reached. */
import type { Call, Reply, Sent } from '../domain/exchange.ts';
import type { Finding } from '../domain/finding.ts';
import type { ArchivedReply } from '../domain/ledger.ts';
import { redactLinks } from '../domain/link.ts';
import type { Refusal } from '../domain/outcome.ts';
import type { Account } from '../domain/settings.ts';
import type { Bench } from './bench.ts';
import type { Desk } from './desk.ts';

/** Largest reply that is read: an image of 32 MB in base64, and some. */
const maxReplyBytes = 48 * 1024 * 1024;

/**
 * Signs and sends one call of an account. The fate of a gateway's 502 and 504 is the vendor's translator's to tell. A reply
 * by which this machine's clock is far off halts the account.
 */
export async function sendCall(
  bench: Bench,
  desk: Desk,
  call: Call,
  { account, timeoutMs }: { readonly account: Account; readonly timeoutMs: number },
): Promise<Sent> {
  const signed = account.vendor.sign(call, account, bench.clock.now());
  const sent = await bench.http.send(signed, { timeoutMs, maxBytes: maxReplyBytes });
  const mistrust = sent.phase === 'answered' ? bench.witness.note(account.name, sent.reply) : undefined;
  if (mistrust !== undefined) desk.gate.halt(mistrust);
  return sent;
}

/** The reply as the ledger keeps it: links without their queries, so that no signature is stored. */
export function archive(reply: Reply): ArchivedReply {
  return { status: reply.status, body: redactLinks(reply.body) };
}

/** The vendor's words without the queries of links, which may carry signatures. */
export function redactRefusal(refusal: Refusal): Refusal {
  const [message, code] = [redactLinks(refusal.message), redactLinks(refusal.code)];
  return message === refusal.message && code === refusal.code ? refusal : { ...refusal, message, code };
}

/** What a vendor's words must hold to hold a link's query. */
const mayHoldLink = /[?&]|%3f/i;

/** A finding whose words hold no signature: a vendor may well name our link in one of them. */
export function redactFinding(finding: Finding): Finding {
  const { labels, segments, metrics } = finding;
  const words = [...Object.values(metrics), ...labels.map(({ label }) => label)];
  if (!words.some((word) => typeof word === 'string' && mayHoldLink.test(word))) return finding;
  const redact = <Part extends { readonly label: string }>(part: Part): Part => ({
    ...part,
    label: redactLinks(part.label),
  });
  const kept = Object.entries(metrics).map(([name, value]) => [
    name,
    typeof value === 'string' ? redactLinks(value) : value,
  ]);
  return {
    ...finding,
    labels: labels.map(redact),
    segments: segments.map(redact),
    metrics: Object.fromEntries(kept),
  };
}
