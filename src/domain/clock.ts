/** Time and chance, handed in so that tests never wait and a run can be replayed. */

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /**
   * Milliseconds from an arbitrary start that never run backwards, whatever is done to the wall clock; for pace and
   * deadlines. All processes on one machine count from the same start.
   */
  monotonic(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A number from 0 (inclusive) to 1 (exclusive) that depends only on its seed: jitter that replays. */
export function jitter(seed: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < seed.length; index += 1) {
    hash = Math.imul(hash ^ seed.charCodeAt(index), 0x01000193) >>> 0;
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b) >>> 0;
  hash ^= hash >>> 13;
  return (hash >>> 0) / 0x1_0000_0000;
}

/** A time of day, as `06:00`. */
export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

/** `HH:MM` of a 24-hour clock; `undefined` for any other text. */
export function parseTimeOfDay(text: string): TimeOfDay | undefined {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match ? { hour: Number(match[1]), minute: Number(match[2]) } : undefined;
}

/** The next instant after `nowMs` at which the local clock shows that time, in milliseconds since 1970. */
export function nextLocalTime(nowMs: number, { hour, minute }: TimeOfDay): number {
  const next = new Date(nowMs);
  next.setHours(hour, minute, 0, 0);
  if (next.getTime() <= nowMs) {
    // By the calendar, since a day may have 23 or 25 hours.
    next.setDate(next.getDate() + 1);
    next.setHours(hour, minute, 0, 0);
  }
  return next.getTime();
}
