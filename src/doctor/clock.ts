/** How far this machine's clock and a server's differ, and whether that matters. */
import { formatDuration } from '../domain/quantity.ts';

/** S3 refuses signatures that are further off. AWS, "Troubleshooting: RequestTimeTooSkewed", read 2026-11-20. */
const mostSkewMs = 15 * 60_000;
const muchSkewMs = 60_000;

/** In words, with whether it is too much. `serverMs` counts whole seconds, so a second says nothing. */
export function describeSkew(
  nowMs: number,
  serverMs: number | undefined,
): { readonly level: 'ok' | 'warn' | 'fail'; readonly words: string } {
  if (serverMs === undefined) return { level: 'ok', words: 'the server tells no time' };
  const skewMs = nowMs - serverMs;
  const size = Math.abs(skewMs);
  if (size < 2000) return { level: 'ok', words: 'clock in step' };
  const words = `clock ${formatDuration(size)} ${skewMs > 0 ? 'ahead' : 'behind'}`;
  return { level: size >= mostSkewMs ? 'fail' : size >= muchSkewMs ? 'warn' : 'ok', words };
}
