/** Suites over a PostgreSQL of their own. */
import { afterAll, beforeAll } from 'vitest';
import { findMissingForPostgres, startPostgres, type TestServer } from './postgres.ts';
import { describeReal } from './server.ts';

/** As `describeReal`, with a server that is there while its tests run, and not before. */
export function describePostgres(
  name: string,
  body: (server: Omit<TestServer, 'stop'>) => void,
  options?: Parameters<typeof startPostgres>[0],
): void {
  describeReal(name, findMissingForPostgres(), () => {
    let started: TestServer | undefined;
    const require = (): TestServer => {
      if (!started) throw new Error('the server is started before the first test, and not earlier');
      return started;
    };
    beforeAll(async () => {
      started = await startPostgres(options);
    }, 60_000);
    afterAll(async () => {
      await started?.stop();
    });
    body({
      get access() {
        return require().access;
      },
      kill: () => require().kill(),
      start: () => require().start(),
    });
  });
}
