/** The texts of the page in one language: a catalogue of messages, and how their places are filled. */
import type { Language } from '../../../domain/settings.ts';
import { formatCount, formatDuration } from '../../../domain/quantity.ts';
import { escapeHtml, html, type Markup } from '../markup.ts';
import type { Catalogue, MessageKey } from './catalogue.ts';
import { en } from './en.ts';
import { zh } from './zh.ts';

export const catalogues: Readonly<Record<Language, Catalogue>> = { en, zh };

export type Filling = Readonly<Record<string, string | number | Markup>>;

export interface Say {
  /**
   * A message with `{name}` replaced: whole numbers with separators, text escaped, markup as it is. `one || many` are
   * the forms for a `count` of 1 and of anything else.
   */
  (key: MessageKey, filling?: Filling): Markup;
  readonly language: Language;
  /** `9 h 04 min` in the words of the language. */
  readonly duration: (ms: number) => Markup;
}

export function makeSay(language: Language): Say {
  const catalogue = catalogues[language];
  const say = (key: MessageKey, filling: Filling = {}): Markup => {
    const text = chooseForm(catalogue[key], filling['count']);
    const parts = text.split(/\{(\w+)\}/);
    return {
      markup: parts.map((part, index) => (index % 2 === 0 ? escapeHtml(part) : fill(filling[part]))).join(''),
    };
  };
  const duration = (ms: number): Markup => {
    const text = formatDuration(ms);
    return { markup: text.replace(/[a-z]+/g, (unit) => (isUnit(unit) ? say(units[unit]).markup : unit)) };
  };
  return Object.assign(say, { language, duration });
}

/** A message as plain text, for what is no page; what is filled in stays as it is. */
export interface Tell {
  (key: MessageKey, filling?: Readonly<Record<string, string | number>>): string;
  readonly language: Language;
  readonly duration: (ms: number) => string;
}

export function makeTell(language: Language): Tell {
  const catalogue = catalogues[language];
  const tell = (key: MessageKey, filling: Readonly<Record<string, string | number>> = {}): string =>
    chooseForm(catalogue[key], filling['count']).replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const part = filling[name] ?? '';
      return typeof part === 'number' ? formatCount(part) : part;
    });
  const duration = (ms: number): string =>
    formatDuration(ms).replaceAll(/[a-z]+/g, (unit) => (isUnit(unit) ? tell(units[unit]) : unit));
  return Object.assign(tell, { language, duration });
}

const units = {
  ms: 'unit.ms',
  s: 'unit.s',
  min: 'unit.min',
  h: 'unit.h',
  d: 'unit.d',
} as const satisfies Readonly<Record<string, MessageKey>>;

function isUnit(word: string): word is keyof typeof units {
  return Object.hasOwn(units, word);
}

/** The form of a message for a count: the first of `one || many` for 1. */
function chooseForm(text: string, count: string | number | Markup | undefined): string {
  const [one = '', many] = text.split(' || ');
  return many === undefined || count === 1 ? one : many;
}

function fill(part: string | number | Markup | undefined): string {
  if (part === undefined) return '';
  return typeof part === 'number' ? formatCount(part) : html`${part}`.markup;
}
