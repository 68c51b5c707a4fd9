/** Commands of the contract that come with later versions: recognised, and refused in so many words. */
import type { Command } from 'commander';
import { wrongUse } from '../domain/problem.ts';

/** Everything that is known by name and not built yet. */
export const notYet = {
  commands: ['worker'],
} as const;

/** Declares the commands, out of sight of `--help`. Whatever stands behind such a name, `--help` too, is refused. */
export function refuseCommands(program: Command): void {
  for (const name of notYet.commands) {
    program
      .command(name, { hidden: true })
      .argument('[anything...]')
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => refuse(name));
  }
}

function refuse(what: string): never {
  throw wrongUse(
    `mediasweep ${what}: not supported yet. It comes with a later version; mediasweep --help lists what there is.`,
  );
}
