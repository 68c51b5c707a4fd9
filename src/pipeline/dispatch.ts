/** One session of a run: its source is read, planned and dispatched, all at once and within bounds. */
import { setMaxListeners } from 'node:events';
import { seeParked } from '../dispatch/parked.ts';
import { type SessionEnd, tryCanary } from './canary.ts';
import { openFeed } from './feed.ts';
import { openMedia } from './media.ts';
import type { Outside } from './outside.ts';
import { openSender } from './sender.ts';
import type { Session } from './session.ts';

/**
 * Reads the source, plans its items and dispatches their tasks, all at once and within bounds; under a canary one after
 * the other.
 */
export async function dispatch(outside: Outside, session: Session): Promise<SessionEnd> {
  const { pipeline, opened, flags, watch } = session;
  const { clock } = outside;
  const stop = AbortSignal.any([outside.stop, session.deadline]);
  setMaxListeners(0, stop);
  const media = openMedia(pipeline, clock);
  try {
    const sender = await openSender(outside, session, media, stop);
    try {
      const feed = openFeed(outside, session, media, stop);
      const { planned } = feed;
      const { counters } = sender;
      watch.follow(() => ({
        ...planned,
        ...counters,
        planned: planned.planned + counters.released,
        atVendor: sender.openJobs,
        spending: opened.spending,
      }));
      let isParked = false;
      const end = await tryCanary({
        pipeline,
        opened,
        isOverridden: flags.resumeAnyAge === true,
        nowMs: () => clock.now(),
        log: watch.log,
        park: () => {
          isParked = true;
          return feed.planOnly();
        },
        sendAhead: (items) => sender.send(seeParked(opened, 'canary'), () => feed.readParked(items)),
      });
      if (end) return end;
      return await (isParked
        ? sender.send(seeParked(opened), () => feed.readParked())
        : sender.send(opened, feed.read));
    } finally {
      await sender.close();
    }
  } finally {
    await media.close();
  }
}
