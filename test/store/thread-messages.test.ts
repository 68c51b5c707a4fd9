/** What goes between a run and the thread that writes it. */
import { describe, expect, test } from 'vitest';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import { packError, packOpening, unpackError } from '../../src/store/sqlite/thread-messages.ts';
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
