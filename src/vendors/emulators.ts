/** The stand-ins of all vendors, one line each; apart from the catalogue, since neither may know the other. */
import type { Clock } from '../domain/clock.ts';
import { z } from 'zod';
import type { EmulatorEntry, EmulatorFaults, EmulatorSwitches, EmulatorTools } from '../domain/emulator.ts';
import type { Handler, UrlReader } from '../domain/exchange.ts';
import { wrongUse } from '../domain/problem.ts';
import { paiEmulator } from './pai/emulator/index.ts';
import { qiniuEmulator } from './qiniu/emulator.ts';

export const emulators: readonly EmulatorEntry[] = [paiEmulator, qiniuEmulator];

interface Running {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** What a stand-in on a socket needs of the outside. */
interface Outside {
  readonly clock: Clock;
  readonly reader: UrlReader;
  readonly serve: (handler: Handler, place: { port: number; host: string }) => Promise<Running>;
  /** Absent where nobody is to be called back. */
  readonly callBack?: EmulatorTools['callBack'];
}

/**
 * Gives one vendor's stand-in a socket, with the credentials that it takes. Throws a `Stop` for an unknown vendor or
 * switch.
 */
export async function openEmulator(
  vendor: string,
  {
    faults,
    switches = {},
    ...place
  }: { port: number; host: string; faults: EmulatorFaults; switches?: EmulatorSwitches },
  { clock, reader, serve, callBack = () => Promise.resolve(undefined) }: Outside,
): Promise<
  Running & { readonly credentials: Readonly<Record<string, string>>; readonly switches: EmulatorSwitches }
> {
  const entry = emulators.find((one) => one.vendor === vendor);
  if (!entry) {
    const names = emulators.map((one) => one.vendor).join(', ');
    throw wrongUse(
      `emulate: expected one of ${names}, found ${JSON.stringify(vendor)}. Name a vendor of the list.`,
    );
  }
  const parsed = entry.switches.safeParse(switches);
  if (!parsed.success) {
    const names = Object.keys(entry.switches.shape).join(', ');
    throw wrongUse(
      `emulate ${vendor}: a switch has another name or value than expected. ${z.prettifyError(parsed.error)}. Switches: ${names}.`,
    );
  }
  const { credentials } = entry;
  const tools = { clock, reader, credentials, faults, knownMedia: new Map(), callBack };
  const { handler } = entry.open(tools, parsed.data);
  const { url, close } = await serve(handler, place);
  return { url, close, credentials, switches: parsed.data };
}
