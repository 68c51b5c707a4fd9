/** Calls the caller back when a job has ended: once, twice or never, signed or not. */
import type { EmulatorTools } from '../../../domain/emulator.ts';
import type { FetchedVideo } from './media.ts';
import { moderate } from './model.ts';
import { type EmulatorKeys, signCallback } from './signature.ts';
import type { Asked } from './submission.ts';
import type { QiniuSwitches } from './switches.ts';

/** Makes the function that calls back for one ended job. Its `id` is the vid, and it names no job. */
export function makeCallBack(
  tools: Pick<EmulatorTools, 'callBack' | 'clock'>,
  readSwitches: () => QiniuSwitches,
  keys: EmulatorKeys,
): (asked: Asked, video: FetchedVideo) => Promise<void> {
  return async (asked, video) => {
    const switches = readSwitches();
    if (asked.hookUrl === undefined || switches.callbacks === 'dropped') return;
    const body = JSON.stringify({ id: asked.vid, result: moderate(asked, video, switches.keepsEmptyFrames) });
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (switches.callbackScheme !== 'none') {
      headers['Authorization'] = signCallback(switches.callbackScheme, asked.hookUrl, headers, body, keys);
    }
    await tools.clock.sleep(switches.callbackDelayMs);
    const times = switches.callbacks === 'twice' ? 2 : 1;
    for (let sent = 0; sent < times; sent += 1) await tools.callBack(asked.hookUrl, headers, body);
  };
}
