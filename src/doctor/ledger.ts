/** Looks at the ledger that machines share: reach, version, what survives a crash, room for connections, its clock. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { PostgresAccess, PostgresFacts } from '../domain/postgres.ts';
import { exitCodes } from '../domain/problem.ts';
import { formatDuration } from '../domain/quantity.ts';
import { describeFailure } from './failure.ts';

/** Two of them are in each commit, and calls wait for commits. */
const muchRoundTripMs = 50;
/** Of one process: four that read, and one that writes. */
const processConnections = 5;
/** A coordinator, a worker, and a command beside them. */
const fewProcesses = 3;
/** Beyond this the days and months that machines book in begin at different times. */
const muchSkewMs = 2000;
const littleSkewMs = 100;

/** `read` opens the ledger, which makes its tables where they are not there, and asks the server what it is. */
export async function examineLedger(
  { host, port }: Pick<PostgresAccess, 'host' | 'port'>,
  read: () => Promise<PostgresFacts>,
): Promise<readonly Diagnosis[]> {
  const subject = `postgres ${host}:${port}`;
  try {
    const facts = await read();
    const { version, encoding, roundTripMs, aheadMs, mostConnections, connections } = facts;
    const reach = `ledger opened and read in ${roundTripMs.toFixed(0)} ms, version ${version}, ${encoding}`;
    const room = `${connections} of ${mostConnections} connections in use, ${processConnections} at most for each process`;
    const message = `${reach}, clock ${describeSkew(aheadMs, roundTripMs)}, ${room}`;
    const told: Diagnosis[] = [{ level: 'ok', subject, message }];
    for (const trouble of listTrouble(facts)) told.push({ subject, ...trouble });
    return told;
  } catch (error) {
    return [describeFailure(subject, error)];
  }
}

function listTrouble(facts: PostgresFacts): readonly Omit<Diagnosis, 'subject'>[] {
  const { isSynced, isTornProof, mostConnections, connections, roundTripMs, aheadMs } = facts;
  const trouble: Omit<Diagnosis, 'subject'>[] = [];
  if (!isSynced) {
    const message =
      'a crash of its machine loses what it said was durable (fsync off): calls that were paid for would be paid for again. Set fsync on.';
    trouble.push({ level: 'warn', message });
  } else if (!isTornProof) {
    const message =
      'a crash of its machine may leave pages half written (full_page_writes off): the ledger could be lost. Set full_page_writes on, unless its file system never tears pages.';
    trouble.push({ level: 'warn', message });
  }
  const left = Math.floor((mostConnections - connections) / processConnections);
  if (left < fewProcesses) {
    const message = `room for ${left} more of our processes: expected ${fewProcesses}, found ${connections} of ${mostConnections} connections in use. Raise max_connections, or end what holds them (pg_stat_activity).`;
    trouble.push(
      left < 1 ? { level: 'fail', message, exitCode: exitCodes.halted } : { level: 'warn', message },
    );
  }
  if (roundTripMs > muchRoundTripMs) {
    const message = `it answers in ${roundTripMs.toFixed(0)} ms: each call waits four times as long for what must be durable. Run it near the workers.`;
    trouble.push({ level: 'warn', message });
  }
  if (Math.abs(aheadMs) > muchSkewMs + roundTripMs / 2) {
    const message = `the clock of this machine is ${describeSkew(aheadMs, roundTripMs)}: days, months and ages of answers differ from machine to machine. Let all of them be set by NTP.`;
    trouble.push({ level: 'warn', message });
  }
  return trouble;
}

/** Of this machine's clock. What a way to the server takes is not known apart. */
function describeSkew(aheadMs: number, roundTripMs: number): string {
  const size = Math.abs(aheadMs);
  if (size <= littleSkewMs + roundTripMs / 2) return 'in step';
  const words = size < 10_000 ? `${Math.round(size)} ms` : formatDuration(size);
  return aheadMs > 0 ? `${words} ahead of it` : `${words} behind it`;
}
