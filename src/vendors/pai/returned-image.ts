/** Answers of the two models whose `data` is a bare base64 string: the new image. */
import { emptyFinding } from '../../domain/finding.ts';
import type { ImageAnswer } from './image-call.ts';

/** `undefined` where there is no text or text that cannot be base64. Its type and size are looked at when it is saved. */
export function readReturnedImage(data: unknown): ImageAnswer | undefined {
  if (typeof data !== 'string') return undefined;
  const base64 = data.replace(/^data:[^,]{0,100};base64,/i, '').trim();
  // The manual masks the end of its samples with asterisks.
  if (!/^[A-Za-z0-9+/_\-\s]+[=*]*$/.test(base64)) return undefined;
  return { finding: emptyFinding, image: { base64 } };
}
