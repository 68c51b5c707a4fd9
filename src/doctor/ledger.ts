/** Looks at the ledger that machines share: reach, credentials, version. */
import type { PostgresSettings } from '../domain/cluster.ts';
import type { Clock } from '../domain/clock.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import { describeFailure } from './failure.ts';

/** Each call waits for a commit, and each commit for this. */
const muchMs = 50;

/** `read` opens the ledger, which makes its tables where they are not there, and asks it something. */
export async function examineLedger(
  settings: PostgresSettings | undefined,
  clock: Pick<Clock, 'monotonic'>,
  read: () => Promise<unknown>,
): Promise<readonly Diagnosis[]> {
  if (!settings) return [];
  const subject = `postgres ${settings.host}:${settings.port}`;
  try {
    await read();
    const askedMs = clock.monotonic();
    await read();
    const tookMs = clock.monotonic() - askedMs;
    const reach = `ledger opened and read in ${tookMs.toFixed(0)} ms`;
    if (tookMs <= muchMs * 4) return [{ level: 'ok', subject, message: reach }];
    return [
      { level: 'warn', subject, message: `${reach}: calls will wait for it. Run it near the workers.` },
    ];
  } catch (error) {
    return [describeFailure(subject, error)];
  }
}
