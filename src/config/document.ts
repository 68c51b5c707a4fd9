/** One YAML file as a person wrote it: plain data, and the line and column of every key and value. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Problem } from '../domain/problem.ts';

/** Where something stands in plain data: keys of maps and places in lists. */
export type Path = readonly (string | number)[];

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface WrittenDocument {
  /** The file's name as messages show it. */
  readonly file: string;
  /** Plain data, variables not replaced. */
  readonly data: unknown;
  /** Line and column, from 1, of the value at a path or of its key; of the nearest parent where there is none. */
  readonly place: (path: Path, of?: 'key' | 'value') => Place;
}

/** Aliases may multiply the nodes of a file by this much at most. */
const maxAliasCount = 100;

const tooDeep = 'nested too deeply. Write it flatter.';

const start: Place = { line: 1, column: 1 };

/**
 * Parses one YAML 1.2 document. Syntax faults, duplicate keys, unknown tags, a second document and alias bombs are
 * problems; their texts never quote the file, which may hold a secret.
 */
export function readDocument(
  file: string,
  text: string,
): { readonly document?: WrittenDocument; readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const yaml = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    lineCounter: lines,
    prettyErrors: false,
    // The parser compares each key with all before it, which takes minutes for a file of many keys.
    uniqueKeys: false,
  });
  const faults = chooseFaults([...yaml.errors, ...yaml.warnings, ...findNodeFaults(yaml)]);
  if (faults.length > 0) {
    const problems = faults.map(({ code, pos }) => ({
      file,
      ...placeOf(lines, pos[0]),
      path: '',
      message: describeFault(code),
    }));
    return { problems };
  }
  try {
    const data: unknown = yaml.toJS({ maxAliasCount });
    return {
      document: { file, data, place: (path, of = 'value') => findPlace(yaml, lines, path, of) },
      problems: [],
    };
  } catch (error) {
    const message =
      error instanceof RangeError
        ? tooDeep
        : 'the aliases unfold to far more than is written. Write the values out.';
    return { problems: [{ file, ...start, path: '', message }] };
  }
}

interface Fault {
  readonly code: string;
  readonly pos: readonly [number, ...unknown[]];
}

const localFaults = new Set([
  'DUPLICATE_KEY',
  'TAG_RESOLVE_FAILED',
  'BAD_ALIAS',
  'ENDLESS_ALIAS',
  'KEY_NO_TEXT',
]);

/** Faults that leave the rest readable, each; of the others only the first, since what follows comes of it. */
function chooseFaults(faults: readonly Fault[]): readonly Fault[] {
  const sorted = [...faults].sort((a, b) => a.pos[0] - b.pos[0]);
  const isLocal = ({ code }: Fault): boolean => localFaults.has(code);
  const first =
    faults.find((fault) => fault.code === 'RESOURCE_EXHAUSTION') ?? sorted.find((fault) => !isLocal(fault));
  return first ? [first] : sorted;
}

/** What the parser leaves to whoever reads on: keys that stand twice or are no text, aliases that lead nowhere or back. */
function findNodeFaults(yaml: Document): readonly Fault[] {
  const faults: Fault[] = [];
  if (yaml.errors.length > 0) return faults;
  const anchors = new Map<string, Node>();
  const report = (code: string, node: unknown): void => {
    const at = offsetOf(node);
    if (at !== undefined) faults.push({ code, pos: [at] });
  };
  visit(yaml, (_, node, ancestors) => {
    if (isMap(node)) for (const key of findDoubleKeys(node)) report('DUPLICATE_KEY', key);
    if (!isNode(node)) return;
    if (isAlias(node)) {
      // An alias stands for the latest node of that anchor before it.
      const target = anchors.get(node.source);
      if (target === undefined) report('BAD_ALIAS', node);
      else if (ancestors.includes(target)) report('ENDLESS_ALIAS', node);
    } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
  });
  if (faults.length > 0) return faults;
  visit(yaml, {
    Pair: (_, { key }) => {
      if (isCollection(key) || isAlias(key)) report('KEY_NO_TEXT', key);
    },
  });
  return faults;
}

function findDoubleKeys(map: YAMLMap): readonly unknown[] {
  const seen = new Set<string>();
  const double: unknown[] = [];
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    const name = String(key.value);
    if (seen.has(name)) double.push(key);
    seen.add(name);
  }
  return double;
}

/** Data that came from no file, as if it were a document: every place is the beginning. */
export function makeDocument(file: string, data: unknown): WrittenDocument {
  return { file, data, place: () => start };
}

/** `services[0].options.tag_top_k`; keys with characters that would confuse are quoted, long ones cut. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (step.length > 80) text += `[${JSON.stringify(`${step.slice(0, 77)}...`)}]`;
    else if (/^[^\s.[\]"]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** The value at a path of plain data; `undefined` where there is none. */
export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return value;
}

function placeOf(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return line === 0 ? start : { line, column: col };
}

function findPlace(yaml: Document, lines: LineCounter, path: Path, of: 'key' | 'value'): Place {
  let node: unknown = yaml.contents;
  let offset = offsetOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    const collection = isAlias(node) ? node.resolve(yaml) : node;
    if (isMap(collection)) {
      const pair = findPair(collection, String(step));
      if (!pair) break;
      const isKey = of === 'key' && index === path.length - 1;
      offset = (isKey ? offsetOf(pair.key) : offsetOf(pair.value)) ?? offsetOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(collection)) {
      node = collection.items[Number(step)];
      offset = offsetOf(node) ?? offset;
    } else break;
  }
  return placeOf(lines, offset);
}

const pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

/** A file of many faults asks for many places, so each map is gone through once. */
function findPair(map: YAMLMap, key: string): Pair | undefined {
  let known = pairs.get(map);
  if (known === undefined) {
    known = new Map(map.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : '', pair]));
    pairs.set(map, known);
  }
  return known.get(key);
}

function offsetOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : undefined;
}

function describeFault(code: string): string {
  switch (code) {
    case 'RESOURCE_EXHAUSTION':
      return tooDeep;
    case 'DUPLICATE_KEY':
      return 'this key stands twice in its map. Remove one of them.';
    case 'MULTIPLE_DOCS':
      return 'a second document begins here: expected one document in a file. Remove the "---" line or split the file.';
    case 'TAG_RESOLVE_FAILED':
      return 'unknown tag: expected plain YAML without custom tags. Remove the tag that begins with "!".';
    case 'BAD_ALIAS':
      return 'this alias names no anchor, or stands where none may. Write the value out.';
    case 'ENDLESS_ALIAS':
      return 'this alias stands within what it names, which would unfold without end. Write the value out.';
    case 'KEY_NO_TEXT':
      return 'expected a text as key, found a list, a map or an alias. Write a text, in quotes where it has brackets.';
    case 'TAB_AS_INDENT':
      return 'a tab indents this line: expected spaces.';
    case 'BAD_INDENT':
      return 'this line is indented in a way that fits none of the lines above it, or a bracket or brace above is not closed.';
    case 'MISSING_CHAR':
      return 'a character is missing here: a closing quote, bracket or brace, a comma, or the space after ":".';
    case 'BAD_SCALAR_START':
      return 'a text cannot begin with this character. Put it in quotes.';
    case 'BAD_DQ_ESCAPE':
      return 'unknown escape in a text in double quotes. Use single quotes, or write the backslash twice.';
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a key or a nested map stands where none may. Check the indentation and the ":" of this line.';
    case 'BAD_DIRECTIVE':
      return 'unknown or misplaced YAML directive. Remove the line that begins with "%".';
    default:
      return 'this is not valid YAML 1.2. Check brackets, quotes and indentation here and on the line above.';
  }
}
