/** Tells the log what became of a task where it is not what everybody hopes for, with the ids to find it again. */
import { redactLinks } from '../domain/link.ts';
import type { Log, LogFacts } from '../domain/log.ts';
import type { Refusal } from '../domain/outcome.ts';
import type { Decided } from './settle.ts';

/**
 * Answers and accepted jobs are not told: they are millions, and stand in the reports. `task` is the ledger's id of it,
 * `ref` our own reference of the submission, as the vendor may have it.
 */
export function tellDecision(log: Log, { attempt, tried, decision }: Decided): void {
  const { task, ref, service, account, job } = attempt;
  const item = tried && redactLinks(tried.task.item.id);
  const facts = { task, ref, service, account, item, job };
  switch (decision.next) {
    case 'accept':
    case 'answer':
      return;
    case 'fail':
      log.info('task failed', { ...facts, ...describe(decision.refusal) });
      return;
    case 'again':
      log.info('task is tried again', { ...facts, ...describe(decision.refusal) });
      return;
    case 'ask':
      log.info('the fate of a call is unknown, and the vendor is asked', { ...facts, cause: decision.cause });
      return;
    case 'resend':
      log.info('the fate of a call is unknown, and it is sent again', { ...facts, cause: decision.cause });
      return;
    case 'hold':
      log.info('the fate of a call is unknown, and it is held', { ...facts, cause: decision.cause });
  }
}

function describe({ class: cause, code, httpStatus, message }: Refusal): LogFacts {
  return { class: cause, code, httpStatus, message: redactLinks(message) };
}
