/** Environment variables in the string values of a file: `${NAME}`, `${NAME:-default}`, and `$${` for a literal `${`. */
import { formatPath, type Path, type Place, valueAt, type WrittenDocument } from './document.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that could not be replaced. */
export interface VariableFault {
  readonly path: Path;
  readonly message: string;
}

/** A document with its variables replaced. What came from the environment can be told from what stands in the file. */
export interface ConfigFile {
  readonly file: string;
  /** Variables replaced; those that are not set stay as written. */
  readonly data: unknown;
  readonly written: unknown;
  readonly place: (path: Path, of?: 'key' | 'value') => Place;
  readonly faults: readonly VariableFault[];
  /** True where the text could not be parsed, so that nothing can be said about what it lacks. */
  readonly isBroken?: boolean | undefined;
  /** True where the value at the path holds a variable, so that it must never be quoted. */
  readonly hasVariable: (path: Path) => boolean;
}

/** Replaces the variables of a document. Those that are not set are listed, not thrown: they may never be needed. */
export function replaceVariables(document: WrittenDocument, environment: Environment): ConfigFile {
  const faults: VariableFault[] = [];
  const touched = new Set<string>();
  const replaceIn = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') {
      if (!value.includes('${')) return value;
      touched.add(JSON.stringify(path));
      return replaceText(value, environment, (message) => faults.push({ path, message }));
    }
    if (Array.isArray(value)) return value.map((one, index) => replaceIn(one, [...path, index]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, one]) => [key, replaceIn(one, [...path, key])]),
      );
    }
    return value;
  };
  return {
    file: document.file,
    data: replaceIn(document.data, []),
    written: document.data,
    place: document.place,
    faults,
    hasVariable: (path) => touched.has(JSON.stringify(path)),
  };
}

/** The faults of a part of a file. */
export function faultsUnder(file: ConfigFile, path: Path): readonly VariableFault[] {
  return file.faults.filter((fault) => path.every((step, index) => fault.path[index] === step));
}

/** True where the value itself holds a variable that could not be replaced. */
export function isUnset(file: ConfigFile, path: Path): boolean {
  return file.faults.some(
    (fault) => fault.path.length === path.length && path.every((step, index) => fault.path[index] === step),
  );
}

/**
 * The value at a path for a message, as written in the file: texts in quotes, links without user and query. Never what
 * came from the environment.
 */
export function quoteAt(file: ConfigFile, path: Path): string {
  const value = valueAt(file.written, path);
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return JSON.stringify(value);
  const safe = value.replace(/(:\/\/)[^/\s@]*@/g, '$1').replace(/(:\/\/[^\s?#]*)[?#]\S*/g, '$1');
  const quoted = JSON.stringify(safe.length > 80 ? `${safe.slice(0, 77)}...` : safe);
  return file.hasVariable(path) ? `${quoted} (its variables replaced)` : quoted;
}

/** How a value is called where its text must not be shown. */
export function describeHidden(file: ConfigFile, path: Path): string {
  const value = valueAt(file.data, path);
  if (value === undefined || value === null) return 'nothing';
  if (value === '') return 'an empty text';
  return `a ${typeof value === 'string' ? 'text' : typeof value} that is not shown, being secret`;
}

const reference = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
const inside = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;

function replaceText(text: string, environment: Environment, report: (message: string) => void): string {
  return text.replace(reference, (whole: string, body: string | undefined) => {
    if (whole === '$${') return '${';
    const parts = body === undefined ? null : inside.exec(body);
    const name = parts?.[1];
    if (name === undefined) {
      report(
        'expected ${NAME} or ${NAME:-default} after "$". Close the brace, or write $${ for a literal ${.',
      );
      return whole;
    }
    const value = environment[name];
    if (parts?.[2] !== undefined) return value === undefined || value === '' ? parts[2] : value;
    if (value !== undefined) return value;
    report(`environment variable ${name} is not set. Set it, or name another variable.`);
    return whole;
  });
}

/** `file:path`, for messages that point from one file into another. */
export function nameIn(file: ConfigFile, path: Path): string {
  return path.length === 0 ? file.file : `${file.file} ${formatPath(path)}`;
}
