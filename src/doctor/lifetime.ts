/** Whether links live as long as vendors may need them: against the credentials that sign them, and against slow jobs. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import { formatDuration } from '../domain/quantity.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { StorageFacts } from '../domain/storage.ts';

/** Presigned links die with the credentials that signed them. */
export function examineCredentials(
  { access }: Pipeline,
  subject: string,
  { credentialEndsAtMs, isSession }: Pick<StorageFacts, 'credentialEndsAtMs' | 'isSession'>,
  nowMs: number,
): readonly Diagnosis[] {
  if (access.mode !== 'presigned') return [];
  const askedMs = access.expiresInSeconds * 1000;
  if (credentialEndsAtMs === undefined) {
    if (!isSession) return [];
    const message = `credentials of a session (sessionToken), whose end nobody tells: links die with them, though ${formatDuration(askedMs)} are asked for. Use keys without a session, or leave all three out for the AWS credential chain, which renews them.`;
    return [{ level: 'warn', subject, message }];
  }
  const leftMs = credentialEndsAtMs - nowMs;
  if (leftMs >= askedMs) {
    return [
      { level: 'ok', subject, message: `credentials end in ${formatDuration(leftMs)}, after the links` },
    ];
  }
  const links = `links asked for ${formatDuration(askedMs)}`;
  const message = `credentials end in ${formatDuration(Math.max(0, leftMs))}, ${links}: they live no longer than that. Use credentials that live longer, or a shorter expiresIn.`;
  return [{ level: 'warn', subject, message }];
}

/** `mayTakeMs`: how long a vendor may take before it fetches the media. */
export function examineLinkLife({ access }: Pipeline, mayTakeMs: number): readonly Diagnosis[] {
  if (access.mode !== 'presigned' && access.mode !== 'qiniu-private') return [];
  const livesMs = access.expiresInSeconds * 1000;
  if (livesMs >= mayTakeMs) return [];
  const message = `links live ${formatDuration(livesMs)} (access.expiresIn), and a call or job may take ${formatDuration(mayTakeMs)} (deadlines): media that a vendor fetches late fail. Set expiresIn to that, or shorten the deadline.`;
  return [{ level: 'warn', subject: `links (${access.mode})`, message }];
}
