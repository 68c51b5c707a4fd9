/** The moment after which a run begins nothing more: what is in flight may still end, and the rest is left for later. */
import { type Clock, nextLocalTime, type TimeOfDay } from '../domain/clock.ts';
import { formatDuration } from '../domain/quantity.ts';

export interface Deadline {
  /** Aborts when the deadline has come. */
  readonly signal: AbortSignal;
  /** What it is called once it has come. */
  readonly reached: () => string | undefined;
  readonly close: () => void;
}

/** Looked at again this often, so that a clock that was set, or a machine that slept, is noticed. */
const longestNapMs = 60_000;

/** `until` is by the wall clock, `runMs` from now on whatever the wall clock says. Neither: it never comes. */
export function openDeadline(
  clock: Clock,
  given: { readonly until?: TimeOfDay | undefined; readonly runMs?: number | undefined },
): Deadline {
  const { until, runMs } = given;
  const ending = new AbortController();
  const closing = new AbortController();
  let reached: string | undefined;
  const untilMs = until && nextLocalTime(clock.now(), until);
  const endsAtMs = runMs === undefined ? undefined : clock.monotonic() + runMs;
  const findLeft = () => ({
    untilMs: untilMs === undefined ? Number.POSITIVE_INFINITY : untilMs - clock.now(),
    runMs: endsAtMs === undefined ? Number.POSITIVE_INFINITY : endsAtMs - clock.monotonic(),
  });
  const watch = async () => {
    while (!closing.signal.aborted) {
      const left = findLeft();
      const leftMs = Math.min(left.untilMs, left.runMs);
      if (leftMs <= 0) {
        reached =
          left.untilMs <= 0 && until
            ? `--until ${formatTime(until)}`
            : `deadlines.run (${formatDuration(runMs ?? 0)})`;
        ending.abort(reached);
        return;
      }
      await clock.sleep(Math.min(leftMs, longestNapMs), closing.signal);
    }
  };
  if (untilMs !== undefined || endsAtMs !== undefined) void watch();
  return { signal: ending.signal, reached: () => reached, close: () => closing.abort() };
}

function formatTime({ hour, minute }: TimeOfDay): string {
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}
