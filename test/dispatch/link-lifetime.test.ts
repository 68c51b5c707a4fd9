import { describe, expect, test } from 'vitest';
import { findLongest, makeLinker } from '../../src/dispatch/link.ts';
import { makeImages, useToy } from '../support/toy-run.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const hourMs = 3_600_000;
const deadlines = { callMs: 100_000, syncCallMs: 1_800_000, jobMs: 24 * hourMs };

describe('a presigned link', () => {
  /** The warnings of a run that signs two links, by a credential that ends after `lastsMs`. */
  async function sign(
    lastsMs: number | undefined,
    services: Parameters<typeof findLongest>[0],
    expiresIn = 24 * 3600,
  ) {
    const clock = new VirtualClock();
    const warnings: string[] = [];
    const refuse = () => Promise.reject(new Error('only links are asked for'));
    const storage = {
      head: refuse,
      read: refuse,
      sign: async (_: unknown, seconds: number) => ({
        url: 'https://store.example/x?X-Amz-Signature=secret',
        expiresAt: lastsMs === undefined ? undefined : clock.now() + Math.min(seconds * 1000, lastsMs),
      }),
    };
    const link = makeLinker({ mode: 'presigned', expiresInSeconds: expiresIn }, storage, clock, {
      log: { warn: (message) => warnings.push(message) },
      mayTakeMs: findLongest(services, deadlines),
    });
    for (const item of makeImages(2))
      expect(await link(item)).toMatchObject({ url: expect.stringContaining('store.example') });
    return warnings;
  }

  test('that its credential cuts short of what a job may take is warned of once', async () => {
    expect(await sign(hourMs, [useToy('toy/image'), useToy('toy/watch')])).toEqual([
      'storage "main": its credential ends in 1 h 00 min, and links with it: expected 1 d 00 h (access.expiresIn), and a call or job may take 1 d 00 h. Links that die too early are signed again once; use a credential that lasts longer.',
    ]);
  });

  test.each<[string, number | undefined, Parameters<typeof findLongest>[0], number]>([
    ['lasts as long as was asked for', 48 * hourMs, [useToy('toy/watch')], 24 * 3600],
    ['was asked for short', 48 * hourMs, [useToy('toy/watch')], 60],
    ['outlasts every call', hourMs, [useToy('toy/image')], 24 * 3600],
    ['outlasts every synchronous call', hourMs, [useToy('toy/watch', { delivery: 'sync' })], 24 * 3600],
    ['does not end', undefined, [useToy('toy/watch')], 24 * 3600],
  ])('that %s is not warned of', async (_, lastsMs, services, expiresIn) => {
    expect(await sign(lastsMs, services, expiresIn)).toEqual([]);
  });
});
