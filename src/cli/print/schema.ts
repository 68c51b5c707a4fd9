/** JSON Schemas, and the list of their names. */
import { type Console, writeResult } from './terminal.ts';
import { printJson } from './json.ts';

export function printSchema(console: Console, schema: unknown): void {
  printJson(console, schema);
}

export function printSchemaNames(console: Console, names: readonly string[], isJson: boolean): void {
  if (isJson) printJson(console, { schemas: names });
  else writeResult(console, names);
}
