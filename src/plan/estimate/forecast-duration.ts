/**
 * How long a run takes at its limits. Accounts work side by side; each is as slow as the tightest of its bounds:
 * requests a second (submissions and reads of jobs alike), calls in flight, jobs open at once; the same for a service
 * with limits of its own. Pure.
 */
import { pollDelayMs } from '../../domain/decide.ts';
import type { AccountForecast, DurationForecast } from '../../domain/estimate.ts';
import { formatDuration } from '../../domain/quantity.ts';
import { groupBy } from '../../domain/group.ts';
import type { Limits, ServiceUse } from '../../domain/settings.ts';

/** Stand in until the ledger knows better. */
const assumedCallMs = 1000;
const assumedJobMs = 60_000;
/** A submission of a job, or a read of one. */
const assumedReadMs = 300;

/** What one service asks of its account. */
interface Load {
  readonly use: ServiceUse;
  readonly calls: number;
  readonly submissions: number;
  readonly polls: number;
  /** Milliseconds of calls in flight, all together. */
  readonly flightMs: number;
  /** Of one job; 0 where there are none. */
  readonly jobMs: number;
}

/** `readUsualMs` tells how long calls of a service took lately. */
export function forecastDuration(
  uses: readonly ServiceUse[],
  calls: ReadonlyMap<string, number>,
  readUsualMs: (account: string, service: string) => number | undefined,
): DurationForecast {
  const assumptions: string[] = [];
  const loads = uses.flatMap((use) => {
    const count = calls.get(use.name) ?? 0;
    if (count === 0) return [];
    const usual = readUsualMs(use.account.name, use.name);
    assumptions.push(nameTime(use, usual));
    return [weigh(use, count, usual)];
  });
  const accounts = [...groupBy(loads, ({ use }) => use.account.name)]
    .map(([account, own]) => forecastAccount(account, own))
    .toSorted((one, other) => other.seconds - one.seconds);
  return { seconds: accounts[0]?.seconds ?? 0, accounts, assumptions };
}

function isJob({ service, delivery }: ServiceUse): boolean {
  return service.poll !== undefined && delivery !== 'sync';
}

function nameTime(use: ServiceUse, usualMs: number | undefined): string {
  const what = isJob(use) ? 'a job' : 'a call';
  const ms = usualMs ?? (isJob(use) || use.delivery === 'sync' ? assumedJobMs : assumedCallMs);
  const how = usualMs === undefined ? 'assumed' : 'as the latest ones did';
  return `${what} of ${use.name} takes ${formatDuration(ms)} (${how})`;
}

function weigh(use: ServiceUse, calls: number, usualMs: number | undefined): Load {
  const submissions = Math.ceil(calls / use.batch);
  if (!isJob(use)) {
    const callMs = usualMs ?? (use.delivery === 'sync' ? assumedJobMs : assumedCallMs);
    return { use, calls, submissions, polls: 0, flightMs: submissions * callMs, jobMs: 0 };
  }
  const jobMs = usualMs ?? assumedJobMs;
  const polls = submissions * countPolls(jobMs);
  return { use, calls, submissions, polls, flightMs: (submissions + polls) * assumedReadMs, jobMs };
}

/** Reads of one job until it has ended, at the delays that dispatch keeps to once it knows how long jobs take. */
function countPolls(jobMs: number): number {
  let atMs = 0;
  for (let reads = 0; ; reads += 1) {
    atMs += pollDelayMs(reads, '', jobMs);
    if (atMs >= jobMs) return reads + 1;
  }
}

type Bound = AccountForecast['bound'] & { readonly seconds: number };

function forecastAccount(name: string, loads: readonly Load[]): AccountForecast {
  const limits = (loads[0] as Load).use.account.limits;
  const bounds = [
    ...listBounds(loads, limits),
    ...loads.flatMap((load) => {
      const own = load.use.limits;
      return own ? listBounds([load], own).map((bound) => ({ ...bound, service: load.use.name })) : [];
    }),
  ];
  const { seconds, ...bound } = bounds.reduce((worst, one) => (one.seconds > worst.seconds ? one : worst));
  const sum = (read: (load: Load) => number) => loads.reduce((all, load) => all + read(load), 0);
  return {
    account: name,
    calls: sum((load) => load.calls),
    requests: sum((load) => load.submissions),
    polls: sum((load) => load.polls),
    seconds,
    bound,
  };
}

function listBounds(loads: readonly Load[], limits: Partial<Limits>): readonly Bound[] {
  const sum = (read: (load: Load) => number) => loads.reduce((all, load) => all + read(load), 0);
  const lastJobMs = Math.max(...loads.map(({ jobMs }) => jobMs));
  const { perSecond, concurrency, maxOpenJobs } = limits;
  const make = (limit: Bound['limit'], value: number | undefined, ms: (value: number) => number): Bound[] =>
    value === undefined ? [] : [{ limit, value, seconds: Math.ceil(ms(value) / 1000) }];
  return [
    ...make(
      'perSecond',
      perSecond,
      (value) => (sum((load) => load.submissions + load.polls) / value) * 1000 + lastJobMs,
    ),
    ...make('concurrency', concurrency, (value) => sum((load) => load.flightMs) / value + lastJobMs),
    ...make(
      'maxOpenJobs',
      maxOpenJobs,
      (value) => sum((load) => load.calls * load.jobMs) / value + lastJobMs,
    ),
  ];
}
