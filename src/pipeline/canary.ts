/** A run's canary: the whole source is planned first, a few of its items are carried out, and the rest follows or not. */
import type { DispatchEnd } from '../dispatch/dispatcher.ts';
import { type CanaryVerdict, judgeCanary } from '../domain/canary.ts';
import type { RunLedger } from '../domain/ledger.ts';
import type { Log } from '../domain/log.ts';
import { priceOf } from '../domain/pricing.ts';
import { formatCount } from '../domain/quantity.ts';
import type { Pipeline } from '../domain/settings.ts';

/** How a session came to its end. */
export interface SessionEnd extends DispatchEnd {
  /** Why the rest does not follow the canary, in words. */
  readonly canaryStop?: string | undefined;
}

export interface CanaryParts {
  readonly pipeline: Pipeline;
  readonly opened: RunLedger;
  /** A person said that the rest is to follow whatever the canary says (`--resume`). */
  readonly isOverridden: boolean;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Plans the source to its end, and sends nothing. Answers how the session ended where it did not come so far. */
  readonly park: () => Promise<DispatchEnd | undefined>;
  /** Carries out the tasks of these items alone. */
  readonly sendAhead: (items: ReadonlySet<string>) => Promise<DispatchEnd>;
}

/**
 * Whether the session ends here: where the source could not be read, an account was halted, someone stopped it, or the
 * canary says no. `undefined` where the rest follows, and where the run began without a canary. One that said no is judged
 * anew by the conditions of now, and not sent again.
 */
export async function tryCanary(parts: CanaryParts): Promise<SessionEnd | undefined> {
  const { pipeline, opened, log } = parts;
  const { canary } = pipeline;
  const before = opened.record.canary;
  if (!canary || !before || before.state === 'passed' || before.state === 'overridden') return undefined;
  if (before.state === 'stopped' && parts.isOverridden) {
    await opened.noteCanary({ ...before, state: 'overridden' });
    return undefined;
  }
  const cut = await parts.park();
  if (cut) return cut;
  const beganMs = before.beganMs ?? parts.nowMs();
  await opened.noteCanary({ ...before, beganMs });
  const end = await parts.sendAhead(await opened.readCanaryNames());
  if (end.halts.length > 0 || end.isStopped || end.feedError !== undefined) return end;
  const figures = await opened.readCanaryFigures(beganMs);
  const verdict = judgeCanary(canary, figures, {
    currency: pipeline.prices.currency,
    priceOf: (sku) => priceOf(pipeline.prices, sku),
    factsOf: (account, sku) =>
      pipeline.services.find((use) => use.account.name === account)?.account.billing[sku],
    nowMs: parts.nowMs(),
  });
  // Where nothing is left, there is nothing to keep back.
  const isStopped = verdict.reasons.length > 0 && figures.untouched > 0;
  await opened.noteCanary({ ...before, beganMs, state: isStopped ? 'stopped' : 'passed', verdict });
  if (isStopped) return { ...end, canaryStop: describeStop(verdict, figures.untouched) };
  log.info('the canary passed', { items: verdict.items, tasks: verdict.ended, failed: verdict.failed });
  return undefined;
}

function describeStop({ reasons, items }: CanaryVerdict, untouched: number): string {
  const rest = `${formatCount(untouched)} ${untouched === 1 ? 'task is' : 'tasks are'} untouched`;
  const of = `${formatCount(items)} ${items === 1 ? 'item' : 'items'}`;
  return `stopped by the canary of ${of}: ${reasons.join('; ')}. ${rest}. See failures.csv and bill.csv. --resume sends the rest all the same; once the cause is mended, --new begins with another canary; other conditions of stopIf are judged by running again.`;
}
