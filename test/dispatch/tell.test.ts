/** What the log is told of single tasks: enough to find each again, and never a link's signature. */
import { expect, test } from 'vitest';
import type { Decided } from '../../src/dispatch/settle.ts';
import { tellDecision } from '../../src/dispatch/tell.ts';
import type { LogFacts } from '../../src/domain/log.ts';
import type { Refusal } from '../../src/domain/outcome.ts';

const refusal: Refusal = {
  reaction: 'give-up',
  class: 'media-unreadable',
  code: '400',
  httpStatus: 400,
  message: 'cannot open https://s3.example/a.jpg?X-Amz-Signature=abc',
  booking: 'refused',
};

const link = 'https://cdn.example/b.jpg?token=tell-nobody';

function tell(decision: Decided['decision']) {
  const told: (readonly [string, LogFacts | undefined])[] = [];
  const log = { info: (text: string, facts?: LogFacts) => told.push([text, facts]), warn: () => undefined };
  const attempt = { task: 42, ref: 'f00', service: 'pai/image-quality', account: 'pai-prod' };
  const tried = { task: { item: { id: link } } };
  tellDecision(log as never, { attempt, tried, decision } as unknown as Decided);
  return told;
}

const ids = {
  task: 42,
  ref: 'f00',
  service: 'pai/image-quality',
  account: 'pai-prod',
  item: 'https://cdn.example/b.jpg',
};

test.each([
  [{ next: 'fail', refusal, isRemembered: true }, 'task failed'],
  [{ next: 'again', refusal, costsAttempt: true, wait: 'gate', signAgain: false }, 'task is tried again'],
] as const)('%j is told with its ids and the vendor’s words, links cut', (decision, text) => {
  expect(tell(decision)).toEqual([
    [
      text,
      {
        ...ids,
        class: 'media-unreadable',
        code: '400',
        httpStatus: 400,
        message: 'cannot open https://s3.example/a.jpg',
      },
    ],
  ]);
});

test.each(['ask', 'resend', 'hold'] as const)('an unknown fate (%s) is told with its cause', (next) => {
  expect(tell({ next, cause: 'read ECONNRESET' })).toEqual([
    [expect.stringContaining('the fate of a call is unknown'), { ...ids, cause: 'read ECONNRESET' }],
  ]);
});

test('what goes as everybody hopes is not told', () => {
  expect(tell({ next: 'accept', job: 'j' })).toEqual([]);
});
