/** Names the cause of a failure of the network in one line. */
import { describeError } from '../domain/problem.ts';

/** An error's words and its code, e.g. `other side closed (UND_ERR_SOCKET)`; they never hold a URL's query. */
export function nameCause(error: unknown): string {
  const words = describeError(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code !== 'string' || words.includes(code) ? words : `${words} (${code})`;
}
