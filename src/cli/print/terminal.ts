/** The terminal as the command line sees it, and lines written to it. Only this folder calls it. */

export interface Console {
  /** Results: stdout. */
  readonly out: (text: string) => void;
  /** Everything else: stderr. */
  readonly err: (text: string) => void;
  /** True where stderr is a terminal whose line can be drawn again. */
  readonly isTerminal: boolean;
  /** Width of the terminal; what it is elsewhere does not matter. */
  readonly columns: number;
  /**
   * Asks a person, and answers what they wrote, or undefined where they ended it. Absent where nobody sits there.
   */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined;
  /** False under `NO_COLOR`, and where either stream is not a terminal. */
  readonly useColour: boolean;
}

export function writeResult(console: Console, lines: readonly string[]): void {
  for (const line of lines) console.out(`${line}\n`);
}

export function writeNote(console: Console, lines: readonly string[]): void {
  for (const line of lines) console.err(`${line}\n`);
}

/** Columns that text is to fit in; `undefined` where nobody's window sets a bound, as in a file or a mail. */
export function widthOf(console: Console): number | undefined {
  return console.isTerminal ? Math.max(40, console.columns) : undefined;
}
