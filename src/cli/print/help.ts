/** How help and usage errors of the command line reach the terminal. */
import type { HelpConfiguration, OutputConfiguration } from 'commander';
import { type Console, widthOf } from './terminal.ts';
import { makeInk } from './ink.ts';
import { wrap } from './wrap.ts';

/** Errors are kept back: whoever catches them prints them in our own manner. */
export function makeHelpOutput(console: Console): OutputConfiguration {
  const width = () => helpWidth(console);
  return {
    writeOut: (text) => console.out(text),
    writeErr: (text) => console.err(text),
    outputError: () => undefined,
    getOutHelpWidth: width,
    getErrHelpWidth: width,
    getOutHasColors: () => console.useColour,
    getErrHasColors: () => console.useColour,
  };
}

export function makeHelpStyle(console: Console): HelpConfiguration {
  const ink = makeInk(console);
  return { showGlobalOptions: true, minWidthToWrap: 20, styleTitle: (title) => ink.bold(title) };
}

function helpWidth(console: Console): number {
  return Math.min(widthOf(console) ?? 100, 110);
}

/**
 * What stands below the built-in help: indented lines are kept, commands whole, the others are sentences of a paragraph
 * and fill the width. An empty line, or one that ends in a colon, ends a paragraph.
 * Laid when it is shown.
 */
export function layHelp(console: Console, text: string): () => string {
  return () => lay(text, helpWidth(console));
}

function lay(text: string, width: number): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const last = lines.at(-1) ?? '';
    const isPart =
      line !== '' && !line.startsWith(' ') && last !== '' && !last.startsWith(' ') && !last.endsWith(':');
    if (isPart) lines[lines.length - 1] = `${last} ${line}`;
    else lines.push(line);
  }
  return lines.flatMap((line) => layLine(line, width)).join('\n');
}

/** Our own words are ASCII; what measures the words of others takes long to load. */
const measure = ({ length }: string): number => length;

/** A command is never broken, since it is there to be pasted: what is said of it goes below where there is no room. */
function layLine(line: string, width: number): readonly string[] {
  const [, command, comment = ''] = /^( {2}mediasweep .*?)(?: {2,}(.*))?$/.exec(line) ?? [];
  if (command === undefined) return wrap(line, width, line.startsWith(' ') ? '    ' : '', measure);
  if (measure(line) <= width) return [line];
  return comment === '' ? [command] : [command, ...wrap(`      ${comment}`, width, '      ', measure)];
}
