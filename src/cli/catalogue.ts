/** `mediasweep catalogue`: the services that there are, or one explained. */
import type { Command } from 'commander';
import { type ExitCode, exitCodes, wrongUse } from '../domain/problem.ts';
import { type Globals, readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { suggest } from '../domain/suggestion.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep catalogue
  mediasweep catalogue qiniu/video-censor     options, limits, prices, columns, and an example to paste
  mediasweep catalogue --json | jq -r '.services[].name'

Prices are those of config/prices/, if there is any.
With --json: { services: [...] }, or one service with the JSON Schema of its options.`;

export function addCatalogue(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('catalogue')
    .summary('list the services, or explain one')
    .description('Lists the services that a pipeline may use, or explains one.')
    .argument('[service]', 'a service, such as pai/image-quality')
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (name: string | undefined, _, command: Command) => {
      conclude(await showCatalogue(name, readGlobals(command), tools));
    });
}

async function showCatalogue(
  name: string | undefined,
  { places, isJson }: Globals,
  { spine, console }: Tools,
): Promise<ExitCode> {
  const { listServices, makeServiceSheet } = await import('./service-sheet.ts');
  const { printCatalogue, printCatalogueJson, printService, printServiceJson } = await import(
    './print/catalogue.ts'
  );
  const lines = listServices(await spine.catalogue(), await spine.prices(places));
  if (name === undefined) {
    (isJson ? printCatalogueJson : printCatalogue)(console, await Promise.all(lines.map(makeServiceSheet)));
    return exitCodes.complete;
  }
  const line = lines.find(({ service }) => service.name === name);
  if (!line) {
    const names = lines.map(({ service }) => service.name);
    throw wrongUse(
      `mediasweep catalogue: there is no service "${name}".${suggest(name, names)} mediasweep catalogue lists all.`,
    );
  }
  (isJson ? printServiceJson : printService)(console, await makeServiceSheet(line));
  return exitCodes.complete;
}
