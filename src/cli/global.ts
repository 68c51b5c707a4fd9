/** The options that every command takes, before or after its name. */
import { type Command, Option } from 'commander';
import type { Places } from './spine.ts';

export interface Globals {
  readonly places: Places;
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly log: 'text' | 'json';
}

interface Written extends Places {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly log?: 'text' | 'json';
}

/** Declares them on the program: commander then finds them on either side of a command's name. */
export function addGlobalOptions(program: Command): void {
  program
    .option(
      '--config <dir>',
      'folder of accounts, storages, prices and policies (default: config/ of the project)',
    )
    .option('--state <dir>', 'folder of the ledger (default: .mediasweep/ of the project)')
    .option(
      '--out <place>',
      'folder of the reports, or s3://storage/bucket/prefix (default: reports/ of the project)',
    )
    .option('--json', 'print the result as one JSON document on stdout; errors stay on stderr')
    .option('--quiet', 'no progress and no notes; results, warnings and errors are still printed')
    .addOption(
      new Option('--log <form>', 'form of what is told on stderr while a run goes on')
        .choices(['text', 'json'])
        .default('text'),
    );
}

export function readGlobals(command: Command): Globals {
  const { config, state, out, json, quiet, log } = command.optsWithGlobals<Written>();
  return {
    places: { config, state, out },
    isJson: json === true,
    isQuiet: quiet === true,
    log: log ?? 'text',
  };
}
