/** A receiver that is told, over real sockets: how often, how long, and what becomes of trouble. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerAnswer } from '../../src/domain/exchange.ts';
import { openHttp } from '../../src/wire/http.ts';
import { type RunningServer, serve } from '../../src/wire/server.ts';
import { deliver, deliveryLimits } from '../../src/wire/webhook.ts';

let http: ReturnType<typeof openHttp>;
let server: RunningServer;
let answers: ServerAnswer[];
let bodies: string[];
/** Pauses that were asked for; none of them really passes. */
let pauses: number[];

const clock = {
  now: () => 0,
  monotonic: () => 0,
  sleep: async (ms: number) => {
    pauses.push(ms);
  },
};

beforeEach(async () => {
  [answers, bodies, pauses] = [[], [], []];
  http = openHttp({ connections: 2 });
  server = await serve(
    async ({ body }) => {
      bodies.push(Buffer.from(body).toString('utf8'));
      return answers.shift() ?? { status: 200 };
    },
    { maxBodyBytes: 65_536, timeoutMs: 5000 },
  );
});

afterEach(async () => {
  await Promise.all([http.close(), server.close()]);
});

function tell(url = server.url, signal?: AbortSignal) {
  let tries = 0;
  return deliver(
    { http, clock },
    {
      makeCall: () => {
        tries += 1;
        return { method: 'POST', url, headers: {}, body: `try ${tries}` };
      },
      readReply: ({ status }) =>
        status === 200 ? undefined : { words: `status ${status}`, isPassing: status >= 500 },
      signal,
    },
  );
}

describe('a message', () => {
  test('is delivered once', async () => {
    expect(await tell()).toBeUndefined();
    expect(bodies).toEqual(['try 1']);
  });

  test('is made anew for each try where the receiver is broken for the moment', async () => {
    answers = [{ status: 503 }, { status: 200, fault: 'reset' }];
    expect(await tell()).toBeUndefined();
    expect(bodies).toEqual(['try 1', 'try 2', 'try 3']);
    expect(pauses).toEqual([1000, 2000]);
  });

  test('is given up after three tries, and the trouble is told', async () => {
    answers = Array.from({ length: 9 }, () => ({ status: 500 }));
    expect(await tell()).toBe('status 500 in 3 tries');
    expect(bodies).toHaveLength(3);
  });

  test('that the receiver does not want is not sent again', async () => {
    answers = [{ status: 400 }];
    expect(await tell()).toBe('status 400');
    expect(bodies).toHaveLength(1);
  });

  test('to nobody is given up within the bound', async () => {
    const url = server.url;
    await server.close();
    expect(await tell(url)).toMatch(/ECONNREFUSED.* in 3 tries$/);
    const { timeoutMs, pausesMs } = deliveryLimits;
    expect(3 * timeoutMs + pausesMs[0] + pausesMs[1]).toBeLessThanOrEqual(18_000);
  });

  test('is not tried again once somebody waits for the end', async () => {
    answers = [{ status: 500 }, { status: 500 }];
    const stop = new AbortController();
    const sleep = clock.sleep;
    const asleep = {
      ...clock,
      sleep: async (ms: number) => {
        await sleep(ms);
        stop.abort();
      },
    };
    const makeCall = () => ({ method: 'POST', url: server.url, headers: {} }) as const;
    const readReply = () => ({ words: 'status 500', isPassing: true });
    expect(await deliver({ http, clock: asleep }, { makeCall, readReply, signal: stop.signal })).toBe(
      'status 500',
    );
    expect(bodies).toHaveLength(1);
  });

  test('is tried once where somebody waits for the end', async () => {
    answers = [{ status: 500 }];
    expect(await tell(server.url, AbortSignal.abort())).toBe('status 500');
    expect(bodies).toHaveLength(1);
  });
});
