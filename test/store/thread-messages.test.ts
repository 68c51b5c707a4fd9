/** What goes between a run and the thread that writes it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import {
  isPlainReply,
  isPlainRequest,
  pack,
  packError,
  packOpening,
  type ThreadRequest,
  unpack,
  unpackError,
} from '../../src/store/sqlite/thread-messages.ts';
import { makeBilling, makeOpening } from './world.ts';

describe('an opening that goes to a thread', () => {
  test('carries no function and no secret, and all that a ledger needs', () => {
    const opening = makeOpening({ billing: makeBilling({ freeUsed: 7 }) });
    const withSecrets = {
      ...opening,
      pipeline: {
        ...opening.pipeline,
        services: opening.pipeline.services.map((use) => ({
          ...use,
          service: { submit: () => undefined },
          account: { ...use.account, secrets: { token: 'canary-4711' } },
        })),
      },
    };
    const cloned = structuredClone(packOpening(withSecrets));
    expect(JSON.stringify(cloned)).not.toContain('canary-4711');
    expect(cloned.pipeline.services.map(({ name }) => name)).toEqual(
      opening.pipeline.services.map(({ name }) => name),
    );
    expect(cloned.pipeline.prices).toEqual(opening.pipeline.prices);
    expect(cloned.pipeline).toMatchObject({ name: 'nightly', hash: 'hash-1', reuse: opening.pipeline.reuse });
    expect(cloned.billing).toEqual(opening.billing);
  });
});

describe('an error that comes from a thread', () => {
  test('keeps the exit code and the faults of a stop', () => {
    const problem = { file: 'a.yaml', line: 1, column: 2, path: 'x', message: 'expected y' };
    const stop = new Stop(exitCodes.halted, 'the disk is full', [problem], new Error('ENOSPC'));
    const came = unpackError(structuredClone(packError(stop)));
    expect(came).toBeInstanceOf(Stop);
    expect(came).toMatchObject({ message: 'the disk is full', exitCode: 3, problems: [problem] });
  });

  test('of our own making keeps its words and where it was thrown', () => {
    const came = unpackError(structuredClone(packError(new TypeError('x is undefined'))));
    expect(came).not.toBeInstanceOf(Stop);
    expect(came.message).toBe('x is undefined');
    expect(came.stack).toContain('thread-messages.test.ts');
  });
});

describe('messages between a run and its thread', () => {
  const intend = (id: number): ThreadRequest => ({
    is: 'write',
    id,
    name: 'intend',
    takes: {
      service: 'toy/check',
      account: 'toy',
      isBatch: false,
      atMs: 1,
      tasks: [{ id, units: { 'toy/call': 1 }, linkHash: 'a"\ud800' }],
    },
  });
  const answer = (id: number, elements: number): ThreadRequest => {
    const reply = { status: 200, body: '{"a":1}' };
    const one = { is: 'answered', finding: { labels: [], segments: [], metrics: {} } } as const;
    const usage = { units: { 'toy/call': 1 }, basis: 'observed' } as const;
    const takes = Array.from({ length: elements }, (_, index) => ({ ...one, attempt: index, usage, reply }));
    return { is: 'write', id, name: 'transition', takes };
  };
  const billing: ThreadRequest = {
    is: 'write',
    id: 9,
    name: 'addBilling',
    takes: { account: 'toy', facts: {} },
  };

  test('arrive as they were sent, in their order, whichever of them go as text', () => {
    const message = fc.constantFrom(intend(1), answer(2, 1), answer(3, 3), billing, { is: 'close' } as const);
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        expect(unpack(structuredClone(pack(messages, isPlainRequest)))).toEqual(messages);
      }),
    );
  });

  test('of one call each go as one text, and those of a batch share its reply on the other side too', () => {
    expect(pack([intend(1), answer(2, 1), intend(3)], isPlainRequest)).toHaveLength(1);
    const [came] = unpack(structuredClone(pack([answer(1, 2)], isPlainRequest)));
    const replies = (came as { takes: readonly { reply: object }[] }).takes.map(({ reply }) => reply);
    expect(new Set(replies).size).toBe(1);
  });

  test('that carry bytes or faults are cloned', () => {
    expect(isPlainReply({ id: 1, answer: [{ is: 'waiting' }] })).toBe(true);
    expect(isPlainReply({ id: 1, answer: [] })).toBe(true);
    expect(isPlainReply({ id: 1, answer: [{ id: 1, item: { position: new Uint8Array(8) } }] })).toBe(false);
    expect(isPlainReply({ id: 1, error: packError(new Error('x')) })).toBe(false);
  });
});
