/** Has an account's signature checked by reading a job that does not exist, which no vendor charges for. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import { redactLinks } from '../domain/link.ts';
import { exitCodes } from '../domain/problem.ts';
import type { Account } from '../domain/settings.ts';
import { describeSkew } from './clock.ts';
import type { DoctorTools } from './tools.ts';

/** No vendor gives a job such a name. */
const unknownJob = 'mediasweep-doctor-0';
const limits = { timeoutMs: 20_000, maxBytes: 64 * 1024 };

/** One request; no paid call. */
export async function examineAccount(
  account: Account,
  { http, clock }: DoctorTools,
): Promise<readonly Diagnosis[]> {
  const subject = `account ${account.name}`;
  const { vendor } = account;
  const poll = vendor.services.find((service) => service.poll !== undefined)?.poll;
  if (poll === undefined) {
    return [{ level: 'warn', subject, message: 'the signature cannot be checked without a paid call' }];
  }
  const sent = await http.send(vendor.sign(poll(unknownJob, false), account, clock.now()), limits);
  if (sent.phase !== 'answered') {
    const message = `${account.endpoint} gave no answer: ${redactLinks(sent.cause)}. Check endpoint and network, and run again.`;
    return [{ level: 'fail', subject, message, exitCode: exitCodes.halted }];
  }
  const { reply } = sent;
  const refusal = vendor.readRefusal(reply);
  if (refusal?.reaction === 'halt' && refusal.halts === 'account') {
    const keys = Object.keys(account.credentials).join(' and ');
    const message = `refused: "${refusal.message}" (${reply.status}, ${refusal.class}). Check ${keys} of this account.`;
    return [{ level: 'fail', subject, message, exitCode: exitCodes.wrongUse }];
  }
  if (reply.status >= 500) {
    const message = `the vendor is in trouble (${reply.status}), so the signature was not checked. Run again.`;
    return [{ level: 'fail', subject, message, exitCode: exitCodes.halted }];
  }
  const time = Date.parse(reply.headers['date'] ?? '');
  const skew = describeSkew(clock.now(), Number.isNaN(time) ? undefined : time);
  const accepted = `signature accepted (no paid call made); ${skew.words}`;
  if (skew.level === 'ok') return [{ level: 'ok', subject, message: accepted }];
  return [{ level: 'warn', subject, message: `${accepted}. Set the clock of this machine.` }];
}
