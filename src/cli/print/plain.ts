/** Text of strangers (keys, vendors' words, cells of manifests) made safe for a terminal. */

/** Control characters, line and paragraph separators, and what turns the direction of writing. */
// oxlint-disable-next-line no-control-regex -- these are what must not reach a terminal
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line in which every character that a terminal would act on is written out, such as `\x1b` or `\u202e`. */
export function makePlain(text: string): string {
  return text.replace(unsafe, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** The same for a text whose own line breaks are meant. */
export function makePlainLines(text: string): readonly string[] {
  return text.split(/\r?\n/).map(makePlain);
}
