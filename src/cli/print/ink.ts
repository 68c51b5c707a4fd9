/** Colours, which only carry what words carry too. */
import picocolors from 'picocolors';
import type { Verdict } from '../../domain/policy.ts';
import type { Console } from './terminal.ts';

export type Ink = ReturnType<typeof picocolors.createColors>;

export function makeInk(console: Console): Ink {
  return picocolors.createColors(console.useColour);
}

/** The colour of a verdict. */
export function inkVerdict(ink: Ink, verdict: Verdict, text: string): string {
  switch (verdict) {
    case 'block':
      return ink.red(text);
    case 'review':
      return ink.yellow(text);
    case 'incomplete':
      return ink.magenta(text);
    case 'pass':
      return ink.green(text);
  }
}
