/** Text in columns, counted as a terminal shows it: a Chinese character takes two. */
import displayWidth from 'string-width';
import { wrap } from './wrap.ts';

export interface Column {
  /** Empty titles everywhere leave the head out. */
  readonly title: string;
  readonly isRight?: boolean | undefined;
}

const gap = '  ';
/** A last column narrower than this is set below its row instead. */
const narrowest = 30;
const belowIndent = '      ';

/**
 * Rows under a head. Cells may hold colours and several lines. Where a width is given, the last column wraps to fit it,
 * or stands below its row where too little is left.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number,
): readonly string[] {
  const head = columns.some(({ title }) => title !== '') ? [columns.map(({ title }) => title)] : [];
  const all = [...head, ...rows];
  const widths = columns.map((_, index) => Math.max(0, ...all.map((row) => widestLine(row[index] ?? ''))));
  const last = columns.length - 1;
  const taken = widths.slice(0, last).reduce((sum, one) => sum + one + gap.length, 0);
  const left = width === undefined ? Number.POSITIVE_INFINITY : width - taken;
  if (left >= Math.min(narrowest, widths[last] ?? 0)) {
    return all.flatMap((row) => {
      const cells = row.map((cell, index) => (index === last ? wrapText(cell, left).join('\n') : cell));
      return formatRow(columns, widths, cells);
    });
  }
  return all.flatMap((row, index) => {
    const below = wrapText(row[last] ?? '', (width ?? 0) - belowIndent.length);
    const isHead = index < head.length;
    return [
      ...formatRow(columns, widths, row.slice(0, last)),
      ...(isHead ? [] : below.filter((line) => line !== '').map((line) => belowIndent + line)),
    ];
  });
}

function formatRow(
  columns: readonly Column[],
  widths: readonly number[],
  cells: readonly string[],
): readonly string[] {
  const split = cells.map((cell) => cell.split('\n'));
  const height = Math.max(1, ...split.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    split
      .map((lines, index) => padText(lines[line] ?? '', widths[index] ?? 0, columns[index]?.isRight))
      .join(gap)
      .trimEnd(),
  );
}

export function padText(text: string, width: number, isRight = false): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return isRight ? space + text : text + space;
}

/** As `wrap`, for text whose characters may take two columns. */
export function wrapText(text: string, width: number | undefined, indent = ''): readonly string[] {
  return wrap(text, width, indent, displayWidth);
}

/** At most `width` columns; what is cut from the end shows as `...`. */
export function clipText(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let clipped = '';
  let taken = 0;
  for (const { segment } of graphemes.segment(text)) {
    taken += displayWidth(segment);
    if (taken > width - 3) break;
    clipped += segment;
  }
  return `${clipped}...`;
}

const graphemes = new Intl.Segmenter();

function widestLine(cell: string): number {
  return Math.max(...cell.split('\n').map((line) => displayWidth(line)));
}

export { displayWidth };
