/** Asks a person on a terminal for what the flags of `init` left open. */
import type { Catalogue } from '../domain/service.ts';
import type { DraftAnswers } from '../domain/draft.ts';
import { parseMoney } from '../domain/money.ts';
import { type Ask, makeAsk, writeQuestionNote } from './print/question.ts';
import type { Console } from './print/terminal.ts';

/** What the flags said. */
export type GivenAnswers = Partial<DraftAnswers>;

interface Interview {
  readonly console: Console;
  readonly catalogue: Catalogue;
  readonly timezone: string;
}

/** Throws a `Stop` (exit 2) where the person ends it; nothing has been written then. */
export async function interview(
  given: GivenAnswers,
  { console, catalogue, timezone }: Interview,
): Promise<DraftAnswers> {
  const ask = makeAsk(console);
  const name = given.name ?? (await ask('name of the pipeline', 'nightly'));
  const source = given.source ?? (await askSource(ask));
  const isAsked = given.source === undefined && source.form === 'bucket';
  const endpoint = given.endpoint ?? (isAsked ? await ask('address of the store, empty for AWS', '') : '');
  const region = given.region ?? (isAsked ? await ask('region', 'us-east-1') : undefined);
  const services = given.services ?? (await askServices(ask, console, catalogue));
  const cap = given.cap ?? (await askCap(ask, console));
  return {
    name,
    source,
    services,
    timezone: given.timezone ?? timezone,
    ...(endpoint !== '' && { endpoint }),
    ...(region !== undefined && { region }),
    ...(cap !== '' && { cap }),
  };
}

async function askSource(ask: Ask): Promise<DraftAnswers['source']> {
  const where = await ask('where the media is: a bucket, or a file that lists it (.csv, .jsonl)', 'bucket');
  if (/\.csv(?:\.gz)?$/i.test(where)) return { form: 'csv', path: where };
  if (/\.jsonl(?:\.gz)?$/i.test(where)) return { form: 'jsonl', path: where };
  const bucket = where === 'bucket' ? await ask('name of the bucket', 'media') : where;
  return { form: 'bucket', bucket, prefix: await ask('only keys that begin with, empty for all', '') };
}

async function askServices(ask: Ask, console: Console, catalogue: Catalogue): Promise<readonly string[]> {
  const services = catalogue.flatMap((vendor) => vendor.services);
  const lines = services.map((one, index) => `  ${String(index + 1).padStart(2)}  ${one.name}: ${one.about}`);
  writeQuestionNote(console, lines);
  for (;;) {
    const answer = await ask('services, by number or name, separated by commas', '1');
    const words = answer.split(/[\s,]+/).filter((word) => word !== '');
    const names = words.map((word) => services[Number(word) - 1]?.name ?? word);
    const unknown = names.filter((name) => !services.some((one) => one.name === name));
    if (names.length > 0 && unknown.length === 0) return names;
    writeQuestionNote(console, [`  there is no ${unknown.join(', ')}`]);
  }
}

async function askCap(ask: Ask, console: Console): Promise<string> {
  for (;;) {
    const cap = await ask('money that one run may not pass, or none', '100 CNY');
    if (cap === 'none') return '';
    if (parseMoney(cap)) return cap;
    writeQuestionNote(console, ['  expected an amount such as 100 CNY']);
  }
}
