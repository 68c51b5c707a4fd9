/** The main job against stand-ins on this machine, and stand-ins by themselves. */
import { join } from 'node:path';
import type { Places, RehearsalFlags, RunResult, RunWatch, Spine } from '../cli/spine.ts';
import { findFolders } from '../config/open.ts';
import type { EmulatorTools } from '../domain/emulator.ts';
import { openStage } from '../rehearsal/stage.ts';
import { clearState } from '../store/clear-state.ts';
import { emulators, openEmulator } from '../vendors/emulators.ts';
import { openHttp } from '../wire/http.ts';
import { makeLoopbackReader } from '../wire/url-reader.ts';
import { type Outside, callLimits, mediaLimits, serveMedia } from './outside.ts';
import { run } from './run.ts';

/** A stand-in for a vendor on this machine. */
export function emulate(outside: Outside, ...[vendor, options]: Parameters<Spine['emulate']>) {
  return openEmulator(vendor, options, { ...openStandInTools(outside), serve: serveMedia });
}

/** What stand-in vendors have of the outside: media from loopback addresses, and callbacks to where they are told. */
function openStandInTools({ clock }: Outside) {
  const reader = makeLoopbackReader(mediaLimits);
  const http = openHttp({ connections: 8 });
  const callBack: EmulatorTools['callBack'] = async (url, headers, body) => {
    const sent = await http.send({ method: 'POST', url, headers, body }, callLimits);
    return sent.phase === 'answered' ? sent.reply.status : undefined;
  };
  return { clock, reader, callBack };
}

/** The whole main job against stand-ins on loopback, with the embedded store and a state of its own. */
export async function rehearse(
  outside: Outside,
  { faults, graceMs }: RehearsalFlags,
  places: Places,
  watch: RunWatch,
): Promise<RunResult> {
  const { clock, home, folder, environment } = outside;
  const folders = await findFolders(folder, places);
  const stage = await openStage({ ...openStandInTools(outside), serve: serveMedia, emulators, faults });
  try {
    const path = join(home, 'pipelines', 'rehearsal.yaml');
    const config = places.config ?? join(home, 'config', 'rehearsal');
    // The stand-ins begin with nothing, and so does the ledger: an earlier rehearsal's jobs died with its vendors.
    const state = join(folders.state, 'rehearsal');
    await clearState(state, 'rehearsal', {
      pid: outside.processId,
      startedAt: new Date(clock.now()).toISOString(),
    });
    const staged = { ...outside, environment: { ...environment, ...stage.environment } };
    return await run(staged, { path, graceMs, startNew: true }, { config, state, out: folders.out }, watch);
  } finally {
    await stage.close();
  }
}
