/** Reads parts of a file by zod shapes, and says what is wrong in our own words, at the place where it stands. */
import type { z } from 'zod';
import type { Problem } from '../domain/problem.ts';
import { type Path, valueAt } from './document.ts';
import { describeSchema, keysOf, makeSchema, type SchemaNode, schemaAt } from './expectation.ts';
import { findClosest } from '../domain/suggestion.ts';
import { makeProblem, reportProblem, type Trouble } from './trouble.ts';
import { type ConfigFile, describeHidden, isUnset, quoteAt } from './variable.ts';

export interface ReadingNotes {
  /** Values here are secret and never shown. */
  readonly isSecret?: boolean | undefined;
  /** Added to every message, e.g. where the manual says so. */
  readonly hint?: string | undefined;
  /** Keys that stand in the same map but belong to another shape; offered as suggestions. */
  readonly otherKeys?: readonly string[] | undefined;
}

/** What a map's shape gives, key by key; a key is absent where it was at fault, so that the others still count. */
export type Fields<Shape extends z.ZodObject> = {
  readonly [Key in keyof z.output<Shape>]?: z.output<Shape>[Key] | undefined;
};

/** Reads one value. `undefined` where it is at fault (the faults are reported) or the shape gives nothing. */
export function readValue<Shape extends z.ZodType>(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  shape: Shape,
  notes: ReadingNotes = {},
): z.output<Shape> | undefined {
  return readData(trouble, file, path, valueAt(file.data, path), shape, notes);
}

/** The same for data that differs from the file's, such as a map without some of its keys. */
export function readData<Shape extends z.ZodType>(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  data: unknown,
  shape: Shape,
  notes: ReadingNotes = {},
): z.output<Shape> | undefined {
  const result = shape.safeParse(data);
  if (result.success) return result.data;
  const schema = makeSchema(shape);
  for (const issue of result.error.issues) {
    trouble.problems.push(...describeIssue(issue, { file, base: path, schema, notes }));
  }
  return undefined;
}

/**
 * Reads a map key by key, so that one fault does not hide the others. A map that is not there counts as empty.
 * `skipped` keys are read elsewhere; with `isOpen`, keys that the shape does not know are somebody else's too.
 */
export function readFields<Shape extends z.ZodObject>(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  shape: Shape,
  { skipped = [], isOpen = false }: { skipped?: readonly string[]; isOpen?: boolean } = {},
): Fields<Shape> | undefined {
  const map = readMap(trouble, file, path);
  if (!map) return undefined;
  const fields: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(shape.shape)) {
    if (skipped.includes(key)) continue;
    fields[key] = readValue(trouble, file, [...path, key], inner as z.ZodType);
  }
  const unknown = isOpen ? [] : Object.keys(map).filter((key) => !Object.hasOwn(shape.shape, key));
  const keys = unknown.length === 0 ? [] : keysOf(makeSchema(shape));
  for (const key of unknown) trouble.problems.push(unknownKey(file, [...path, key], keys, {}));
  return fields as Fields<Shape>;
}

/** The map at a path; empty where nothing is written there; a problem and `undefined` where something else is. */
export function readMap(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
): Readonly<Record<string, unknown>> | undefined {
  const value = valueAt(file.data, path) ?? {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  reportProblem(trouble, file, path, `expected a map, found ${quoteAt(file, path)}.`);
  return undefined;
}

interface Reading {
  readonly file: ConfigFile;
  readonly base: Path;
  readonly schema: SchemaNode;
  readonly notes: ReadingNotes;
}

type Issue = z.core.$ZodIssue;

/** zod's own words, which name no range and no key; anything else was written by whoever declared the shape. */
const isStockMessage = /^(Invalid |Too big|Too small|Unrecognized )/;

function describeIssue(issue: Issue, reading: Reading): readonly Problem[] {
  const { file, base, schema, notes } = reading;
  const inner = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const path = [...base, ...inner];
  if (issue.code === 'unrecognized_keys') {
    const place = schemaAt(schema, inner);
    const keys = [...(place ? keysOf(place) : []), ...(inner.length === 0 ? (notes.otherKeys ?? []) : [])];
    return issue.keys.map((key) => unknownKey(file, [...path, key], keys, notes));
  }
  if (issue.code === 'invalid_key') {
    const expected = issue.issues[0]?.message ?? 'expected another key';
    const key = JSON.stringify(String(path.at(-1)));
    return [makeProblem(file, path, addHint(join(expected, key), notes.hint), 'key')];
  }
  if (issue.code === 'invalid_union') {
    const branch = chooseBranch(issue.errors);
    if (branch) {
      return branch.flatMap((one) => describeIssue({ ...one, path: [...issue.path, ...one.path] }, reading));
    }
  }
  const own = isStockMessage.test(issue.message) ? undefined : issue.message;
  if (isUnset(file, path)) return [];
  return [makeProblem(file, path, addHint(describeValue(issue, own, inner, path, reading), notes.hint))];
}

/** The branch of a union whose kind of value was written: its faults lie inside the value, not in its kind. */
function chooseBranch(errors: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = errors.filter((issues) => issues.every((one) => one.path.length > 0 || !isKindFault(one)));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function isKindFault(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function describeValue(
  issue: Issue,
  own: string | undefined,
  inner: Path,
  path: Path,
  { file, schema, notes }: Reading,
): string {
  if (issue.code === 'invalid_type' && issue.expected === 'never') {
    return own ?? 'nothing may stand here. Remove this key.';
  }
  const found = notes.isSecret === true ? describeHidden(file, path) : quoteAt(file, path);
  if (own !== undefined && !own.startsWith('expected ')) {
    return own.startsWith('not supported yet') ? join(own, found) : endSentence(own);
  }
  const place = schemaAt(schema, inner);
  const options = issue.code === 'invalid_union' && 'options' in issue ? issue.options : undefined;
  const expected =
    own?.replace(/^expected /, '') ??
    (Array.isArray(options)
      ? describeSchema({ enum: options })
      : place
        ? describeSchema(place)
        : 'another value');
  if (valueAt(file.data, path) === undefined) return endSentence(`this key is missing: expected ${expected}`);
  return join(`expected ${expected}`, found);
}

/** What was found goes into the first sentence; what else the shape's author said follows it. */
function join(text: string, found: string): string {
  const [first = '', ...rest] = text.split(/\.\s+/);
  return endSentence([`${first.replace(/\.$/, '')}, found ${found}`, ...rest].join('. '));
}

function endSentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

function unknownKey(file: ConfigFile, path: Path, keys: readonly string[], notes: ReadingNotes): Problem {
  const key = String(path.at(-1));
  const closest = findClosest(key, keys);
  const advice =
    closest !== undefined
      ? `Did you mean ${JSON.stringify(closest)}?`
      : keys.length > 0
        ? `Known here: ${keys.join(', ')}.`
        : 'No key is known here.';
  const shown = JSON.stringify(key.length > 80 ? `${key.slice(0, 77)}...` : key);
  return makeProblem(file, path, addHint(`unknown key ${shown}. ${advice}`, notes.hint), 'key');
}

function addHint(message: string, hint: string | undefined): string {
  return hint === undefined ? message : `${message} ${hint}`;
}
