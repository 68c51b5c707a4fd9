/** What the board of a limit tells those who look on. */
import { describe, expect, test } from 'vitest';
import { exchange, type PaceBoard, type PaceRequest, readBoard, shiftBoard } from '../../src/domain/pace.ts';

const limits = { concurrency: 8, perSecond: 50, maxOpenJobs: 100 };

function ask(given: Partial<PaceRequest> = {}): PaceRequest {
  return {
    limit: 'account',
    part: '',
    limits,
    turns: 10,
    flights: { used: 0, wanted: 4 },
    jobs: { used: 0, wanted: 0, grain: 1 },
    isThrottled: false,
    successes: 0,
    quietMs: 0,
    ...given,
  };
}

describe('a limit', () => {
  test('that nobody came to is free', () => {
    expect(readBoard(undefined, limits, 1000)).toEqual({
      perSecond: { now: 0, allowed: 50 },
      inFlight: { now: 0, allowed: 8 },
      openJobs: { now: 0, allowed: 100 },
      share: 1,
      processes: 0,
    });
  });

  test('counts calls that left, those in flight and open jobs, of all processes and their parts', () => {
    let board: PaceBoard | undefined;
    for (let second = 0; second < 12; second += 1) {
      for (const [index, process] of ['one/0', 'one/1', 'two'].entries()) {
        const flights = { used: index + 1, wanted: 4 };
        const request = ask({ calls: 10, flights, jobs: { used: 5, wanted: 5, grain: 1 } });
        board = exchange(board, process, request, 1000 * second + index).board;
      }
    }
    const reading = readBoard(board, limits, 12_000);
    expect(reading).toMatchObject({ inFlight: { now: 6 }, openJobs: { now: 15 }, share: 1, processes: 2 });
    expect(reading.perSecond.now).toBeGreaterThan(25);
    expect(reading.perSecond.now).toBeLessThan(35);
    // The clock of all was set: nothing of it changes.
    expect(readBoard(shiftBoard(board as PaceBoard, 5e6), limits, 5_012_000)).toEqual(reading);
    // Who is quiet calls no more; jobs stay open at the vendor.
    expect(readBoard(board, limits, 30_000)).toMatchObject({
      perSecond: { now: 0 },
      inFlight: { now: 0 },
      openJobs: { now: 15 },
      processes: 0,
    });
  });

  test('that the vendor throttled lets a share of calls through', () => {
    const { board } = exchange(undefined, 'one', ask({ isThrottled: true }), 1000);
    expect(readBoard(board, limits, 1000)).toMatchObject({
      perSecond: { allowed: 25 },
      inFlight: { allowed: 4 },
      share: 0.5,
    });
  });

  test('on a board of an older program is read as well', () => {
    const { board } = exchange(undefined, 'one', ask({ flights: { used: 2, wanted: 4 } }), 1000);
    const old = {
      ...board,
      meter: undefined,
      holders: board.holders.map((one) => ({ ...one, inUse: undefined })),
    };
    expect(readBoard(old, limits, 1000)).toMatchObject({ perSecond: { now: 0 }, inFlight: { now: 4 } });
  });
});
