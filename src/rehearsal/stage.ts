/** Sets the rehearsal up: the embedded store with the sample library in it, and a stand-in for every vendor. */
import type { Clock } from '../domain/clock.ts';
import { type EmulatorEntry, type EmulatorFaults, type EmulatorTools, noFaults } from '../domain/emulator.ts';
import type { Handler, UrlReader } from '../domain/exchange.ts';
import { makeKnownMedia } from './library.ts';
import { seedLibrary } from './seed.ts';
import { openShelf } from './shelf.ts';
import { makeStore } from './store.ts';
import { makeMemoryVault } from './vault.ts';

/** The bucket that `pipelines/rehearsal.yaml` lists. */
const bucket = 'media';
const storageKey = { id: 'rehearsal-access-key', secret: 'rehearsal-secret-key' };

/** Enough trouble that every way of going on is seen, and little enough that the rehearsal ends soon. */
const someFaults: EmulatorFaults = {
  ...noFaults,
  seed: 'rehearsal',
  slowDown: 0.06,
  serverError: 0.04,
  resetBefore: 0.03,
  modelFailure: 0.05,
  jobMs: 900,
};

export interface StageTools {
  readonly clock: Clock;
  readonly serve: (
    handler: Handler,
  ) => Promise<{ readonly port: number; readonly close: () => Promise<void> }>;
  readonly emulators: readonly EmulatorEntry[];
  readonly reader: UrlReader;
  readonly callBack: EmulatorTools['callBack'];
  readonly faults: 'none' | 'some';
}

export interface Stage {
  /** Ports and keys, under the names that `config/rehearsal/` reads. */
  readonly environment: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

/** Everything listens on loopback, on free ports, until `close`. */
export async function openStage(tools: StageTools): Promise<Stage> {
  const { clock, serve, reader, callBack } = tools;
  const shelf = await openShelf(makeMemoryVault());
  const library = await seedLibrary(shelf, { bucket, nowMs: clock.now() });
  const store = await serve(
    makeStore({ clock, shelf, credentials: { [storageKey.id]: storageKey.secret } }).handler,
  );
  const environment: Record<string, string> = {
    MEDIASWEEP_S3_PORT: String(store.port),
    MEDIASWEEP_S3_KEY: storageKey.id,
    MEDIASWEEP_S3_SECRET: storageKey.secret,
  };
  const servers = [store];
  const knownMedia = makeKnownMedia(library);
  for (const { vendor, credentials, open } of tools.emulators) {
    const faults = tools.faults === 'some' ? someFaults : noFaults;
    const emulator = open({
      reader,
      clock,
      credentials,
      faults,
      knownMedia,
      callBack,
    });
    const server = await serve(emulator.handler);
    servers.push(server);
    environment[nameVariable(vendor, 'port')] = String(server.port);
    for (const [field, value] of Object.entries(credentials))
      environment[nameVariable(vendor, field)] = value;
  }
  return {
    environment,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** `pai`, `appId` -> `MEDIASWEEP_PAI_APP_ID`. */
function nameVariable(vendor: string, field: string): string {
  const words = `${vendor}_${field}`.replaceAll(/[A-Z]/g, (letter) => `_${letter}`);
  return `MEDIASWEEP_${words.replaceAll(/\W/g, '_').toUpperCase()}`;
}
