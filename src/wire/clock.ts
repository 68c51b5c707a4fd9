/** The machine's clock: the one place where time is read and waited for. */
import type { Clock } from '../domain/clock.ts';

/** Since when the process counts, on the machine's own clock, which all processes of the machine share. */
const bootMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Real time. `monotonic` is the same for all processes of a machine until it starts anew. `sleep` ends early, without an error, when its signal aborts. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => bootMs + performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      signal?.addEventListener('abort', finish, { once: true });
    }),
};
