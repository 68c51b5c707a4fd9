/** What became of findings that were read out of the archive again. */
import { formatCount } from '../../domain/quantity.ts';
import type { Derived } from '../spine.ts';
import { type Console, writeNote } from './terminal.ts';

export function printDerived(console: Console, { answers, changed, kept }: Derived): void {
  const counts = `${formatCount(answers)} answers read again: ${formatCount(changed)} findings changed`;
  writeNote(console, [
    kept === 0
      ? `${counts}.`
      : `${counts}, ${formatCount(kept)} kept, since their replies are not whole in the archive.`,
  ]);
}
