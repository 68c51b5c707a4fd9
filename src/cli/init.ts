/** `mediasweep init`: begins a project with a commented pipeline and the config that it needs. */
import type { GivenAnswers } from './interview.ts';
import { type Command, Option } from 'commander';
import { type ExitCode, exitCodes, wrongUse } from '../domain/problem.ts';
import { readMoney } from './flag.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Writes pipelines/NAME.yaml, and in config/ accounts.yaml, storages.yaml, prices/china.yaml and policies/strict.yaml, each
with comments. A file that is there is never touched. Secrets are named as environment variables, and stand in none of them.
On a terminal it asks for what the flags leave open; elsewhere --use and one of --bucket, --csv and --jsonl are needed.

Examples:
  mediasweep init                                    asks
  mediasweep init --bucket media --endpoint https://s3.example --use pai/image-quality --cap 100CNY
  mediasweep init audit --name library --csv library.csv --use qiniu/video-censor pai/video-quality
  mediasweep init --bucket media --use pai/image-labels --json

Exit codes: 0 written; 2 the pipeline is there already, or an answer cannot be used.
With --json: { pipeline, written, kept, unset, problems }; unset are the environment variables that it needs.`;

interface Written {
  readonly name?: string;
  readonly bucket?: string;
  readonly prefix?: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly csv?: string;
  readonly jsonl?: string;
  readonly use?: readonly string[];
  readonly cap?: string;
  readonly timezone?: string;
}

export function addInit(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('init')
    .summary('begin a project')
    .description('Begins a project: writes a commented pipeline and the config that it needs.')
    .argument('[folder]', 'where to; made if it is not there', '.')
    .option('--name <name>', 'name of the pipeline (default: nightly)')
    .addOption(new Option('--bucket <name>', 'list this bucket').conflicts(['csv', 'jsonl']))
    .addOption(new Option('--prefix <prefix>', 'only keys that begin with this'))
    .option('--endpoint <url>', 'address of the S3-compatible store; AWS if left out')
    .option('--region <region>', 'region of the store')
    .addOption(new Option('--csv <file>', 'take the media from this manifest').conflicts('jsonl'))
    .option('--jsonl <file>', 'take the media from this manifest of JSON lines')
    .option('--use <services...>', 'services to call; mediasweep catalogue lists them')
    .addOption(
      new Option('--cap <money>', 'money that one run may not pass').argParser((text: string) => {
        readMoney(text);
        return text;
      }),
    )
    .option('--timezone <zone>', 'time zone of the times in the HTML report (default: that of this machine)')
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (folder: string, written: Written, command: Command) => {
      conclude(await init(folder, written, command, tools));
    });
}

async function init(folder: string, written: Written, command: Command, tools: Tools): Promise<ExitCode> {
  const { canAsk } = await import('./print/question.ts');
  const { printInitiated } = await import('./print/init.ts');
  const { interview } = await import('./interview.ts');
  const { isJson } = readGlobals(command);
  const { console, spine } = tools;
  const given = readGiven(written);
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isComplete = given.source !== undefined && given.services !== undefined;
  if (!isComplete && !canAsk(console)) {
    const lacks = [
      ...(given.source === undefined ? ['one of --bucket, --csv and --jsonl'] : []),
      ...(given.services === undefined ? ['--use'] : []),
    ];
    throw wrongUse(
      `mediasweep init: expected ${lacks.join(', and ')}, since there is no terminal to ask on. See: mediasweep init --help`,
    );
  }
  const answers =
    given.source !== undefined && given.services !== undefined
      ? { name: 'nightly', timezone, ...given, source: given.source, services: given.services }
      : await interview(given, { console, catalogue: await spine.catalogue(), timezone });
  printInitiated(console, await spine.init(folder, answers), isJson);
  return exitCodes.complete;
}

function readGiven(written: Written): GivenAnswers {
  const { name, bucket, prefix, endpoint, region, csv, jsonl, use, cap, timezone } = written;
  const source: GivenAnswers['source'] =
    bucket !== undefined
      ? { form: 'bucket', bucket, prefix: prefix ?? '' }
      : csv !== undefined
        ? { form: 'csv', path: csv }
        : jsonl !== undefined
          ? { form: 'jsonl', path: jsonl }
          : undefined;
  return {
    ...(name !== undefined && { name }),
    ...(source && { source }),
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(use && { services: use }),
    ...(cap !== undefined && { cap }),
    ...(timezone !== undefined && { timezone }),
  };
}
