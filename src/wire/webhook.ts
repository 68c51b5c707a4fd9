/** Tells a receiver something, in a few tries and within a bound: one that is down keeps nobody waiting. */
import type { Clock } from '../domain/clock.ts';
import type { Http, Reply, SignedCall } from '../domain/exchange.ts';

export interface Delivery {
  /** Asked for each try. */
  readonly makeCall: () => SignedCall;
  /** Why the receiver did not take it; undefined where it did. */
  readonly readReply: (reply: Reply) => { readonly words: string; readonly isPassing: boolean } | undefined;
  /** No further try is begun once it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** All of it takes at most 18 s. */
export const deliveryLimits = { timeoutMs: 5000, maxBytes: 65_536, pausesMs: [1000, 2000] } as const;

/** Answers why it could not be delivered; undefined where it was. Never throws for what the network does. */
export async function deliver(
  { http, clock }: { readonly http: Http; readonly clock: Clock },
  { makeCall, readReply, signal }: Delivery,
): Promise<string | undefined> {
  const { pausesMs, ...limits } = deliveryLimits;
  for (let tries = 1; ; tries += 1) {
    const sent = await http.send(makeCall(), limits);
    const refusal =
      sent.phase === 'answered' ? readReply(sent.reply) : { words: sent.cause, isPassing: true };
    if (refusal === undefined) return undefined;
    const pauseMs = pausesMs[tries - 1];
    const isLast = !refusal.isPassing || pauseMs === undefined;
    if (!isLast) await clock.sleep(pauseMs, signal);
    if (isLast || signal?.aborted === true) {
      return `${refusal.words}${tries === 1 ? '' : ` in ${tries} tries`}`;
    }
  }
}
