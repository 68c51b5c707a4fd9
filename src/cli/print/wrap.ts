/** Breaks text into lines. */

/**
 * Lines of at most `width` columns, as `measure` counts them, broken at spaces; what follows the first is indented. A long
 * word stays whole.
 */
export function wrap(
  text: string,
  width: number | undefined,
  indent: string,
  measure: (text: string) => number,
): readonly string[] {
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, width ?? Number.POSITIVE_INFINITY, indent, measure));
}

function wrapLine(
  text: string,
  width: number,
  indent: string,
  measure: (text: string) => number,
): readonly string[] {
  if (measure(text) <= width) return [text];
  const lines: string[] = [];
  let line = /^ */.exec(text)?.[0] ?? '';
  let isEmpty = true;
  for (const word of text.trimStart().split(' ')) {
    if (!isEmpty && measure(`${line} ${word}`) > width) {
      lines.push(line.trimEnd());
      line = indent;
      isEmpty = true;
    }
    line = isEmpty ? line + word : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
