/** Questions to one connection. */
import type { Client } from 'pg';
import type { Value } from '../sql/database.ts';
import { readTypes, spreadRows, widen } from './wide.ts';

const names = new Map<string, string>();

/** Of a prepared statement: short, and the same for the same text. */
export function nameStatement(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `s${names.size + 1}`;
    names.set(text, name);
  }
  return name;
}

/** As `Database.each`, through this connection. */
export async function readEach<Row>(
  client: Pick<Client, 'query'>,
  sql: string,
  values: readonly (readonly Value[])[],
): Promise<readonly (readonly Row[])[]> {
  if (values.length === 0) return [];
  const types = await readTypes(client, sql);
  const text = widen(sql, types);
  const { rows } = await client.query({
    name: nameStatement(text),
    text,
    values: spreadRows(sql, types, values),
  });
  const answers: Row[][] = values.map(() => []);
  for (const { '#': place, ...row } of rows as ({ readonly '#': number } & Row)[]) {
    answers[place - 1]?.push(row as Row);
  }
  return answers;
}
