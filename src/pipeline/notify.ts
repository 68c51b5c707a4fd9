/** Tells people of a run: of its end, and of caps that are nearly used up. Nothing here can fail a run. */
import type { Log } from '../domain/log.ts';
import { describeError, exitCodes, Stop } from '../domain/problem.ts';
import type { NotifySettings, Pipeline } from '../domain/settings.ts';
import { makeTell } from '../report/html/language/say.ts';
import { makeCapWatch, readCaps, type WatchedCap } from '../report/notice/cap-watch.ts';
import { makeNoticeCall, readNoticeReply } from '../report/notice/form.ts';
import { makeCapNotice, makeEndNotice, makeTroubleNotice, type Notice } from '../report/notice/notice.ts';
import { openHttp } from '../wire/http.ts';
import { deliver } from '../wire/webhook.ts';
import { type Companion, makeBeat } from './companion.ts';
import type { Outside } from './outside.ts';

/** How often caps are looked at while a run goes on. */
const beatMs = 2000;

export function openNotifier(
  { clock, stop }: Pick<Outside, 'clock' | 'stop'>,
  { name: pipeline, notify, reports }: Pick<Pipeline, 'name' | 'notify' | 'reports'>,
  log: Log,
): Companion {
  const name = 'notify';
  const http = openHttp({ connections: 4 });
  const beat = makeBeat(clock, beatMs, log, name);
  const caps = makeCapWatch();
  const words = makeTell(reports.language);
  let run = '';
  const tellOne = (settings: NotifySettings, notice: Notice) =>
    deliver(
      { http, clock },
      {
        makeCall: () => makeNoticeCall(settings, notice, clock.now()),
        readReply: (reply) => readNoticeReply(settings.format, reply),
        // Who stops a run waits for its process to end.
        signal: stop,
      },
    );
  const tell = async (notice: Notice) => {
    await Promise.all(
      notify.map(async (settings, index) => {
        if (!settings.on.some((event) => notice.events.includes(event))) return;
        const trouble = await tellOne(settings, notice);
        const { format } = settings;
        if (trouble === undefined) log.info('told', { notify: index, format, events: notice.events.join() });
        else log.warn(`notify[${index}] (${format}) was not told: ${trouble}. The run is not touched by it.`);
      }),
    );
  };
  const tellCaps = async (stands: readonly WatchedCap[], currency: string) => {
    for (const cap of caps.look(stands)) await tell(makeCapNotice({ pipeline, run, currency }, cap, words));
  };
  return {
    name,
    begun: (record) => {
      run = record.id;
    },
    follow: (read) => {
      if (!notify.some(({ on }) => on.includes('cap80'))) return;
      beat.begin(async () => {
        const { spending } = read();
        if (spending) await tellCaps(spending.caps, spending.currency);
      });
    },
    ended: async ({ summary, folder }) => {
      await beat.end();
      // What came between the last look and the end.
      await tellCaps(readCaps(summary), summary.currency);
      await tell(makeEndNotice(summary, folder, words));
    },
    failed: async (error) => {
      await beat.end();
      const exitCode = error instanceof Stop ? error.exitCode : exitCodes.ourMistake;
      await tell(makeTroubleNotice(pipeline, describeError(error), exitCode, words));
    },
    close: async () => {
      await beat.end();
      await http.close();
    },
  };
}
