import { describe, expect, it } from 'vitest';
import { noFaults } from '../../src/domain/emulator.ts';
import type { Handler } from '../../src/domain/exchange.ts';
import { emulators, openEmulator } from '../../src/vendors/emulators.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const place = { port: 9001, host: '127.0.0.1', faults: noFaults };

/** A server without a socket: keeps what it was given. */
function open() {
  const served: { handler: Handler; place: unknown }[] = [];
  const outside = {
    clock: new VirtualClock(),
    reader: { read: () => Promise.resolve({ ok: false as const, message: 'nothing here' }) },
    serve: (handler: Handler, where: { port: number; host: string }) => {
      served.push({ handler, place: where });
      return Promise.resolve({ url: 'http://127.0.0.1:9001', close: () => Promise.resolve() });
    },
  };
  return { served, outside };
}

describe('a stand-in', () => {
  it.each(
    emulators,
  )('of $vendor listens where it is told, answers its state and names its credentials', async (entry) => {
    const { served, outside } = open();
    const running = await openEmulator(entry.vendor, place, outside);
    expect([running.url, running.credentials]).toEqual(['http://127.0.0.1:9001', entry.credentials]);
    expect(served[0]?.place).toEqual({ port: 9001, host: '127.0.0.1' });
    const request = {
      method: 'GET',
      path: '/_emulator/state',
      query: '',
      headers: {},
      body: new Uint8Array(),
    };
    const state = await served[0]?.handler(request);
    expect(JSON.parse(String(state?.body))).toMatchObject({ requests: 0, openJobs: 0 });
  });

  it.each(
    emulators,
  )('of $vendor shows its switches with their defaults, and changes them while it runs', async (entry) => {
    const { served, outside } = open();
    const { switches } = await openEmulator(entry.vendor, place, outside);
    expect(Object.keys(switches)).toEqual(Object.keys(entry.switches.shape));
    const ask = async (method: string, body: string) => {
      const request = {
        method,
        path: '/_emulator/switches',
        query: '',
        headers: {},
        body: Buffer.from(body),
      };
      const answer = await served[0]?.handler(request);
      return { status: answer?.status, body: JSON.parse(String(answer?.body)) };
    };
    expect(await ask('GET', '')).toEqual({ status: 200, body: switches });
    const [name = '', standard] =
      Object.entries(switches).find(([, value]) => typeof value === 'string') ?? [];
    expect((await ask('POST', JSON.stringify({ [name]: 'nonsense' }))).status).toBe(400);
    expect((await ask('POST', '[]')).status).toBe(400);
    expect((await ask('GET', '')).body[name]).toBe(standard);
    const other = { pai: { resultTail: 'always' }, qiniu: { callbacks: 'twice' } }[entry.vendor];
    expect(await ask('POST', JSON.stringify(other))).toEqual({
      status: 200,
      body: { ...switches, ...other },
    });
  });

  it('with a switch of another name or value is wrong use, with the names that there are', async () => {
    const opening = (switches: Record<string, unknown>) =>
      openEmulator('qiniu', { ...place, switches }, open().outside);
    await expect(opening({ callback: 'twice' })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        /Unrecognized key: "callback"[\s\S]*Switches: checksSignatures, .*callbacks/,
      ),
    });
    await expect(opening({ callbacks: 'thrice' })).rejects.toThrow(/"once"\|"dropped"\|"twice"/);
  });

  it('of an unknown vendor is wrong use, with those that there are', async () => {
    const opening = openEmulator('paii', place, open().outside);
    await expect(opening).rejects.toMatchObject({
      exitCode: 2,
      message: 'emulate: expected one of pai, qiniu, found "paii". Name a vendor of the list.',
    });
  });
});
