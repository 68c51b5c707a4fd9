/** Questions to a person on the terminal. */
import { wrongUse } from '../../domain/problem.ts';
import { makePlain } from './plain.ts';
import { type Console, writeNote } from './terminal.ts';

/** Answers what was written, or `otherwise` for an empty line. */
export type Ask = (question: string, otherwise: string) => Promise<string>;

export function canAsk(console: Console): boolean {
  return console.ask !== undefined;
}

/** Throws a `Stop` (exit 2) where the person ends the questions. */
export function makeAsk(console: Console): Ask {
  return async (question, otherwise) => {
    const shown = otherwise === '' ? '' : ` [${otherwise}]`;
    const answer = await console.ask?.(`${question}${shown}: `);
    if (answer === undefined) throw wrongUse('init: ended before the last question. Nothing was written.');
    return answer.trim() === '' ? otherwise : answer.trim();
  };
}

/** Beside a question. */
export function writeQuestionNote(console: Console, lines: readonly string[]): void {
  writeNote(console, lines.map(makePlain));
}
