/** Looks at the Redis that machines share their limits in: reach, version, what it keeps, and its clock. */
import type { RedisFacts, RedisSettings } from '../domain/cluster.ts';
import type { Clock } from '../domain/clock.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import { exitCodes } from '../domain/problem.ts';
import { describeSkew } from './clock.ts';
import { describeFailure } from './failure.ts';

type Read = (settings: RedisSettings, clock: Pick<Clock, 'monotonic'>) => Promise<RedisFacts>;

/** What BullMQ asks for, its documentation says ("Redis compatibility", read 2026-11-20). */
const leastMajor = 6;
/** Turns to call are told apart by some 25 ms. */
const muchRoundTripMs = 20;

export async function examineRedis(
  settings: RedisSettings,
  clock: Pick<Clock, 'monotonic' | 'now'>,
  read: Read,
): Promise<readonly Diagnosis[]> {
  const subject = `redis ${settings.host}:${settings.port}`;
  try {
    const facts = await read(settings, clock);
    const told = listTrouble(facts, clock.now());
    if (told.length > 0) return told.map((trouble) => ({ subject, ...trouble }));
    const version = facts.version === undefined ? '' : `, version ${facts.version}`;
    const unknown = facts.evictionPolicy === undefined || facts.isAppending === undefined;
    const rest = unknown
      ? '; it does not tell its settings: see that maxmemory-policy is noeviction and appendonly yes'
      : ', nothing is evicted, and what it is told is kept';
    const message = `reached in ${facts.roundTripMs.toFixed(1)} ms${version}${rest}`;
    return [{ level: unknown ? 'warn' : 'ok', subject, message }];
  } catch (error) {
    return [describeFailure(subject, error)];
  }
}

function listTrouble(facts: RedisFacts, nowMs: number): readonly Omit<Diagnosis, 'subject'>[] {
  const { version, evictionPolicy, isAppending, timeMs, roundTripMs } = facts;
  const trouble: Omit<Diagnosis, 'subject'>[] = [];
  if (version !== undefined && Number.parseInt(version, 10) < leastMajor) {
    const message = `version ${version}: expected 6.2 or newer. Run a newer one.`;
    trouble.push({ level: 'fail', message, exitCode: exitCodes.wrongUse });
  }
  if (evictionPolicy !== undefined && evictionPolicy !== 'noeviction') {
    const message = `it forgets what it was told when its memory is full (maxmemory-policy ${evictionPolicy}): limits and shards would get lost. Set maxmemory-policy noeviction.`;
    trouble.push({ level: 'fail', message, exitCode: exitCodes.wrongUse });
  }
  if (isAppending === false) {
    const message =
      'a restart makes it forget what it was told: limits would begin anew while calls are under way. Set appendonly yes.';
    trouble.push({ level: 'warn', message });
  }
  if (roundTripMs > muchRoundTripMs) {
    const message = `it answers in ${roundTripMs.toFixed(0)} ms: turns to call are lost on the way. Run it near the workers.`;
    trouble.push({ level: 'warn', message });
  }
  const skew = describeSkew(nowMs, timeMs);
  if (skew.level !== 'ok') {
    trouble.push({ level: 'warn', message: `${skew.words}. Set the clock of this machine, or of Redis.` });
  }
  return trouble;
}
