/** Says which media lie outside the limits of a service: of each limit one example, and at the end how many. */
import { classifyReason } from '../domain/fit.ts';
import type { Item } from '../domain/item.ts';
import type { Log } from '../domain/log.ts';

/** What planning notes about fit in one run. */
export interface FitNotes {
  /** A task goes out although its item's media is outside. */
  readonly misfit: (item: Item, service: string, reason: string) => void;
  /** A task goes out although nobody could tell whether its item's media is outside. */
  readonly unchecked: (item: Item, why: string) => void;
  /** The source was read to its end. */
  readonly listed: () => void;
}

const mostShown = 3;

/** Makes the note-taker of one run. */
export function makeFitNotes(log: Pick<Log, 'warn'>): FitNotes {
  const counts = new Map<string, { readonly service: string; readonly limit: string; count: number }>();
  let unchecked = 0;
  return {
    misfit: (item, service, reason) => {
      const limit = bare(classifyReason(reason));
      const key = `${service} ${limit}`;
      const known = counts.get(key);
      if (known) {
        known.count += 1;
        return;
      }
      counts.set(key, { service, limit, count: 1 });
      log.warn(
        "media outside a service's limits is sent all the same; `select: { fit: skip }` leaves it out",
        {
          service,
          item: item.id,
          why: bare(reason),
        },
      );
    },
    unchecked: (item, why) => {
      unchecked += 1;
      if (unchecked > mostShown) return;
      log.warn('the header could not be read, so that the media is sent without a look at its limits', {
        item: item.id,
        why,
      });
    },
    listed: () => {
      for (const { service, limit, count } of counts.values()) {
        if (count > 1)
          log.warn("media outside a service's limits was sent", { service, limit, items: count });
      }
      if (unchecked > mostShown) log.warn('headers that could not be read', { items: unchecked });
    },
  };
}

function bare(reason: string): string {
  return reason.replace(/^fit: /, '');
}
