/** Shares of a whole as one bar; what they are stands beside it in words. */
import type { CapStand } from '../../domain/caps.ts';
import { verdicts } from '../../domain/policy.ts';
import type { VerdictCounts } from '../../domain/summary.ts';
import { html, type Markup } from './markup.ts';

const [width, height] = [100, 8];

/** Verdicts, from the worst on. */
export function renderStripe(counts: VerdictCounts): Markup {
  const all = verdicts.reduce((sum, verdict) => sum + counts[verdict], 0);
  let at = 0;
  const parts = verdicts.toReversed().map((verdict) => {
    const from = at;
    at += all === 0 ? 0 : (counts[verdict] / all) * width;
    return at === from ? undefined : renderShare(verdict, from, at - from);
  });
  return frame(parts);
}

/** How much of a cap is spent and reserved. */
export function renderMeter({ spent, reserved, limit }: CapStand): Markup {
  const share = (amount: bigint) =>
    limit === 0n ? width : Math.min(width, Number((amount * 10_000n) / limit) / 100);
  return frame([
    renderShare('track', 0, width),
    renderShare('reserved', 0, share(spent + reserved)),
    renderShare('spent', 0, share(spent)),
  ]);
}

/** How far something has come, from 0 to 1. */
export function renderGauge(share: number): Markup {
  return frame([
    renderShare('track', 0, width),
    renderShare('spent', 0, Math.min(1, Math.max(0, share)) * width),
  ]);
}

function frame(parts: readonly (Markup | undefined)[]): Markup {
  return html`<svg class="stripe" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>`;
}

function renderShare(name: string, from: number, wide: number): Markup {
  return html`<rect class="share ${name}" x="${from.toFixed(2)}" width="${wide.toFixed(2)}" height="${height}"/>`;
}
