/** Words that a run leaves in the ledger are English; those that are made from a pattern are said in the page's language. */
import { html, type Markup } from '../markup.ts';
import type { MessageKey } from './catalogue.ts';
import { catalogues, type Say } from './say.ts';

/** Patterns of assumptions, and of the reasons why a task was not asked, as vendors and the domain write them. */
const patterns = [
  'known.duration',
  'known.keyFrameGap',
  'known.sparseIndex',
  'known.whenAbsent',
  'known.whenFalse',
  'known.whenSilent',
  'known.fit',
] as const satisfies readonly MessageKey[];

const expressions = patterns.map((key) => ({ key, expression: makeExpression(catalogues.en[key]) }));

/** The text as it is, marked as English, where no pattern fits. */
export function sayKnown(text: string, say: Say): Markup {
  if (say.language === 'en') return html`${text}`;
  for (const { key, expression } of expressions) {
    const match = expression.exec(text);
    if (match) return say(key, match.groups);
  }
  return html`<span lang="en">${text}</span>`;
}

/** What a message with places looks like once they are filled. */
function makeExpression(message: string): RegExp {
  const parts = message.split(/\{(\w+)\}/);
  const source = parts.map((part, index) => (index % 2 === 0 ? escapeExpression(part) : `(?<${part}>.+)`));
  return new RegExp(`^${source.join('')}$`, 's');
}

function escapeExpression(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
