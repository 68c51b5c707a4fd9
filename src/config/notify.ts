/** Whom a run tells of its end. Addresses of bots are secrets like their keys, and stand in no file. */
import { hasSecrets } from '../domain/link.ts';
import type { NotifySettings } from '../domain/settings.ts';
import { type Path, valueAt } from './document.ts';
import { readMap, readValue } from './reader.ts';
import { notifyShape } from './shape/pipeline.ts';
import { makeProblem, reportProblem, type Trouble } from './trouble.ts';
import { type ConfigFile, quoteAt } from './variable.ts';

const keys = Object.keys(notifyShape.shape) as readonly (keyof typeof notifyShape.shape)[];

/** Nothing where nobody is to be told, as when a report is written again. */
export function readNotify(
  trouble: Trouble,
  file: ConfigFile,
  needsCredentials: boolean,
): readonly NotifySettings[] {
  const list = valueAt(file.data, ['notify']) ?? [];
  if (!Array.isArray(list)) {
    reportProblem(
      trouble,
      file,
      ['notify'],
      `expected a list of webhooks, found ${quoteAt(file, ['notify'])}.`,
    );
    return [];
  }
  const read = list.flatMap((_, index) => readEntry(trouble, file, ['notify', index]) ?? []);
  return needsCredentials ? read : [];
}

function readEntry(trouble: Trouble, file: ConfigFile, path: Path): NotifySettings | undefined {
  const map = readMap(trouble, file, path);
  if (!map) return undefined;
  const { shape } = notifyShape;
  for (const key of Object.keys(map)) {
    if (keys.some((known) => known === key)) continue;
    const message = `unknown key ${JSON.stringify(key)}. Known here: ${keys.join(', ')}.`;
    trouble.problems.push(makeProblem(file, [...path, key], message, 'key'));
  }
  const webhook = readValue(trouble, file, [...path, 'webhook'], shape.webhook, { isSecret: true });
  const format = readValue(trouble, file, [...path, 'format'], shape.format);
  const secret = readValue(trouble, file, [...path, 'secret'], shape.secret, { isSecret: true });
  const on = readValue(trouble, file, [...path, 'on'], shape.on);
  requireVariable(trouble, file, [...path, 'secret'], true);
  requireVariable(trouble, file, [...path, 'webhook'], format !== 'json' || hasSecrets(webhook ?? ''));
  if (webhook === undefined || format === undefined || !on) return undefined;
  return { webhook, format, ...(secret !== undefined && { secret }), on };
}

/** The ledger keeps the pipeline as it is written, and files are copied and shared. */
function requireVariable(trouble: Trouble, file: ConfigFile, path: Path, isSecret: boolean): void {
  if (!isSecret || typeof valueAt(file.data, path) !== 'string' || file.hasVariable(path)) return;
  const message =
    'expected a variable such as "${HOOK}", found a text that is not shown, being secret. Put it into the environment.';
  reportProblem(trouble, file, path, message);
}
