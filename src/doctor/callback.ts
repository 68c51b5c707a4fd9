/** Looks whether a vendor could call back: whether we can listen, and whether the public address leads to us. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import { exitCodes } from '../domain/problem.ts';
import type { Account } from '../domain/settings.ts';
import type { DoctorTools } from './tools.ts';
import { describeFailure } from './failure.ts';

const probePath = '/mediasweep-doctor';
const limits = { timeoutMs: 10_000, maxBytes: 64 * 1024 };

/** Listens for a moment, and calls the public address as a vendor would. */
export async function examineCallback(
  account: Account,
  { serve, http, resolveHost }: DoctorTools,
): Promise<readonly Diagnosis[]> {
  const subject = `callback ${account.name}`;
  const { callback } = account;
  if (callback === undefined) return [];
  let isReached = false;
  let server: { readonly close: () => Promise<void> };
  try {
    server = await serve(async ({ path }) => {
      isReached ||= path.endsWith(probePath);
      return { status: 200 };
    }, callback.listen);
  } catch (error) {
    return [describeFailure(subject, error)];
  }
  try {
    const url = `${callback.publicUrl}${probePath}`;
    await http.send({ method: 'POST', url, headers: {}, body: '' }, limits);
  } finally {
    await server.close();
  }
  const { hostname } = new URL(callback.publicUrl);
  const isPrivate = !account.isLoopback && (await resolveHost(hostname)) === 'private';
  if (isPrivate) {
    const message = `${callback.publicUrl} is a private address, which the vendor cannot reach. Set publicUrl to a public one, or delivery: poll.`;
    return [{ level: 'fail', subject, message, exitCode: exitCodes.wrongUse }];
  }
  if (isReached) return [{ level: 'ok', subject, message: `${callback.publicUrl} leads to this machine` }];
  const message = `${callback.publicUrl} did not lead to this machine when it was called from here. Check the proxy before it; polls stand in until then.`;
  return [{ level: 'warn', subject, message }];
}
