import { describe, expect, it } from 'vitest';
import type { EmulatorFaults } from '../../src/domain/emulator.ts';
import { noFaults } from '../../src/domain/emulator.ts';
import type { ServerAnswer, ServerRequest } from '../../src/domain/exchange.ts';
import { answerJson, wrapEmulator } from '../../src/vendors/emulation.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function makeRequest(method: string, path: string, body = ''): ServerRequest {
  return { method, path, query: '', headers: {}, body: new TextEncoder().encode(body) };
}

function open(faults: Partial<EmulatorFaults> = {}) {
  const clock = new VirtualClock();
  let carriedOut = 0;
  const emulator = wrapEmulator({
    vendor: 'toy',
    tools: {
      clock,
      credentials: {},
      faults: { ...noFaults, ...faults },
      knownMedia: new Map(),
      callBack: () => Promise.resolve(undefined),
      reader: { read: () => Promise.resolve({ ok: false, message: 'nothing here' }) },
    },
    slowDown: () => answerJson(429, 'slow down'),
    serverError: () => answerJson(500, 'broken'),
    openJobs: () => 3,
    answer: (_request, visit) => {
      carriedOut += 1;
      visit.countSubmission(['a', 'b']);
      visit.countUnits({ 'toy/unit': 2 });
      return Promise.resolve(answerJson(200, { modelFails: visit.modelFails }));
    },
  });
  const send = (method = 'POST', path = '/do', body = ''): Promise<ServerAnswer> =>
    clock.drive(emulator.handler(makeRequest(method, path, body)));
  return { emulator, clock, send, carriedOut: () => carriedOut };
}

describe('faults', () => {
  it.each([
    [{ slowDown: 1 }, { status: 429 }, 0],
    [{ serverError: 1 }, { status: 500 }, 0],
    [{ resetBefore: 1 }, { fault: 'reset' }, 0],
    [{ resetAfter: 1 }, { status: 200, fault: 'reset' }, 1],
    [{ modelFailure: 1 }, { status: 200, body: '{"modelFails":true}' }, 1],
    [{}, { status: 200, body: '{"modelFails":false}' }, 1],
  ])('%o answers %o and does the work %i times', async (faults, expected, times) => {
    const opened = open(faults);
    expect(await opened.send()).toMatchObject(expected);
    expect(opened.carriedOut()).toBe(times);
    expect(opened.emulator.state().submissions).toBe(times);
  });

  it('come about as often as their chance says, and at the same requests under the same seed', async () => {
    const draw = async (seed: string) => {
      const opened = open({ seed, slowDown: 0.2 });
      const answers: number[] = [];
      for (let number = 0; number < 500; number += 1) {
        answers.push((await opened.emulator.handler(makeRequest('POST', '/do'))).status);
      }
      return answers;
    };
    const first = await draw('one');
    const share = first.filter((status) => status === 429).length / first.length;
    expect(share).toBeGreaterThan(0.13);
    expect(share).toBeLessThan(0.27);
    expect(await draw('one')).toEqual(first);
    expect(await draw('two')).not.toEqual(first);
  });
});

describe('POST /_emulator/faults', () => {
  it('merges into what is in force and answers all of it', async () => {
    const opened = open({ delayMs: 0, jobMs: 9 });
    const answer = await opened.send('POST', '/_emulator/faults', '{"slowDown":1}');
    expect(JSON.parse(String(answer.body))).toEqual({ ...noFaults, jobMs: 9, slowDown: 1 });
    expect((await opened.send()).status).toBe(429);
    await opened.send('POST', '/_emulator/faults', '{"slowDown":0}');
    expect((await opened.send()).status).toBe(200);
  });

  it.each([
    '',
    '[]',
    '{"slowDown":2}',
    '{"slowdown":1}',
    '{"jobMs":-1}',
  ])('refuses %j and changes nothing', async (body) => {
    const opened = open();
    expect((await opened.send('POST', '/_emulator/faults', body)).status).toBe(400);
    expect((await opened.send()).status).toBe(200);
  });
});

describe('GET /_emulator/state', () => {
  it('counts requests, submissions, references and units, and not itself', async () => {
    const opened = open();
    await opened.send();
    await opened.send();
    const answer = await opened.send('GET', '/_emulator/state');
    expect(JSON.parse(String(answer.body))).toEqual({
      requests: 2,
      submissions: 2,
      submitted: { a: 2, b: 2 },
      units: { 'toy/unit': 4 },
      openJobs: 3,
      peakConcurrency: 1,
      peakPerSecond: 2,
    });
    expect(opened.emulator.state().requests).toBe(2);
    expect((await opened.send('GET', '/_emulator/other')).status).toBe(404);
  });

  it('keeps the most requests at once, delays included, and the most of any one second', async () => {
    const opened = open({ delayMs: 600 });
    const burst = (count: number) =>
      opened.clock.drive(
        Promise.all(Array.from({ length: count }, () => opened.emulator.handler(makeRequest('POST', '/do')))),
      );
    await burst(3); // 0 ms
    await burst(2); // 600 ms: five within one second
    await burst(4); // 1200 ms: six of the last second, the first three are past
    expect(opened.emulator.state()).toMatchObject({ requests: 9, peakConcurrency: 4, peakPerSecond: 6 });
  });
});
