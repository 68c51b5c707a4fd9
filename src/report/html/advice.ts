/** What the classes of failures mean, and what to do about them; classes of vendors not named here have only their words. */
import type { MessageKey } from './language/catalogue.ts';
import type { Say } from './language/say.ts';
import type { Markup } from './markup.ts';

const advice: Readonly<Record<string, MessageKey>> = {
  'media-missing': 'advice.mediaMissing',
  'media-unreadable': 'advice.mediaUnreadable',
  'model-failed': 'advice.modelFailed',
  'model-not-found': 'advice.modelNotFound',
  'bad-request': 'advice.badRequest',
  'bad-signature': 'advice.badSignature',
  'unknown-app-id': 'advice.badSignature',
  deadline: 'advice.deadline',
  'job-lost': 'advice.jobLost',
  'job-failed': 'advice.jobFailed',
  'vendor-memory': 'advice.vendorMemory',
  throttled: 'advice.throttled',
  'too-many-requests': 'advice.throttled',
  'unknown-fate': 'advice.unknownFate',
  forgotten: 'advice.forgotten',
  'not-sent': 'advice.notSent',
  'unexpected-reply': 'advice.unexpectedReply',
  'answer-unreadable': 'advice.unexpectedReply',
};

export function adviseOn(name: string, say: Say): Markup | undefined {
  const key = Object.hasOwn(advice, name) ? advice[name] : undefined;
  return key && say(key);
}
