/**
 * Text that PostgreSQL takes. It refuses the character NUL, which keys may hold, so NUL and the character behind it are
 * written as two. What comes of it sorts as the original does, and no two texts become the same.
 */
const nul = '\0';
const mark = '\u0001';
const writtenNul = '\u0001\u0001';
const writtenMark = '\u0001\u0002';

export function escapeText(text: string): string {
  if (!text.includes(nul) && !text.includes(mark)) return text;
  return text.replaceAll(mark, writtenMark).replaceAll(nul, writtenNul);
}

export function unescapeText(text: string): string {
  if (!text.includes(mark)) return text;
  return text.replaceAll(writtenNul, nul).replaceAll(writtenMark, mark);
}

/** A word as a regular expression for stored text: itself, or a pattern over it with `*` and `?`. */
export function spellPattern(word: string): string {
  const glob = Array.from(escapeText(word), (letter) => {
    if (letter === '*') return '.*';
    if (letter === '?') return '(?:\u0001.|[^\u0001])';
    return quote(letter);
  });
  return `^(?:${Array.from(escapeText(word), quote).join('')}|${glob.join('')})$`;
}

function quote(letter: string): string {
  return /[.*+?^${}()|[\]\\]/.test(letter) ? `\\${letter}` : letter;
}
