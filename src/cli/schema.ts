/** `mediasweep schema`: the JSON Schemas of the files that people write, for editors. */
import type { Command } from 'commander';
import { type ExitCode, exitCodes, wrongUse } from '../domain/problem.ts';
import { type Globals, readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { suggest } from '../domain/suggestion.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep schema                           lists the names
  mediasweep schema pipeline > pipeline.schema.json
  mediasweep schema accounts

An editor finds a schema by the first line of a YAML file:
  # yaml-language-server: $schema=../schema/pipeline.schema.json
A schema is JSON with or without --json; the names with it are { schemas: [...] }.`;

export function addSchema(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('schema')
    .summary('print the JSON Schema of a kind of file')
    .description('Prints the JSON Schema of a kind of file, or lists the names of all.')
    .argument('[name]', 'which one, such as pipeline')
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (name: string | undefined, _, command: Command) => {
      conclude(await showSchema(name, readGlobals(command), tools));
    });
}

const ending = '.schema.json';

async function showSchema(
  name: string | undefined,
  { isJson }: Globals,
  { spine, console }: Tools,
): Promise<ExitCode> {
  const { printSchema, printSchemaNames } = await import('./print/schema.ts');
  const schemas = new Map(
    Object.entries(await spine.schemas()).map(([file, schema]) => [file.replace(ending, ''), schema]),
  );
  const names = [...schemas.keys()];
  if (name === undefined) {
    printSchemaNames(console, names, isJson);
    return exitCodes.complete;
  }
  const asked = name.replace(ending, '');
  if (!schemas.has(asked)) {
    throw wrongUse(
      `mediasweep schema: there is no schema "${name}".${suggest(asked, names)} There are ${names.join(', ')}.`,
    );
  }
  printSchema(console, schemas.get(asked));
  return exitCodes.complete;
}
