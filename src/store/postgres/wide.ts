/** One statement over many rows of values: as many answers in one way over the network. */
import type { Client } from 'pg';
import type { Value } from '../sql/database.ts';
import { type Element, encodeList, isBinary } from './binary.ts';
import { bindOne, translate } from './dialect.ts';

/** Types of a statement's values, by its text; the same on every connection. */
const knownTypes = new Map<string, readonly string[]>();

type Asker = Pick<Client, 'query'>;

/** As far as this process knows them. */
export function findTypes(sql: string): readonly string[] | undefined {
  return knownTypes.get(sql);
}

/** Asks the server itself, once for each statement. */
export async function readTypes(client: Asker, sql: string): Promise<readonly string[]> {
  const known = knownTypes.get(sql);
  if (known) return known;
  const name = `types_${knownTypes.size}_${process.hrtime.bigint()}`;
  await client.query(`PREPARE ${name} AS ${translate(sql).text}`);
  const { rows } = await client.query<{ type: string }>(
    `SELECT p.type::text AS type FROM pg_prepared_statements AS s, unnest(s.parameter_types) WITH ORDINALITY AS p(type, n)
     WHERE s.name = $1 ORDER BY p.n`,
    [name],
  );
  await client.query(`DEALLOCATE ${name}`);
  const types = rows.map(({ type }) => type);
  knownTypes.set(sql, types);
  return types;
}

/** Lists of values as a table `q` of columns `p1`, `p2` and so on. */
export function spellLists(types: readonly string[]): string {
  const names = types.map((_, index) => `p${index + 1}`);
  return `unnest(${spellParameters(types)}) AS q(${names.join(', ')})`;
}

function spellParameters(types: readonly string[]): string {
  return types.map((type, index) => `$${index + 1}::${type}[]`).join(', ');
}

/** The statement for each row of its values: with a column `#` that says which of them, from 1, and in their order. */
export function widen(sql: string, types: readonly string[]): string {
  const values = types.map((_, index) => `p${index + 1}`);
  const own = translate(sql).text.replaceAll(/\$(\d+)/g, 'q.p$1');
  return `SELECT q.n AS "#", r.* FROM unnest(${spellParameters(types)}) WITH ORDINALITY AS q(${[...values, 'n'].join(', ')})
    CROSS JOIN LATERAL (${own}) AS r ORDER BY q.n`;
}

/** The lists for a statement over rows of values: one for each of its parameters. */
export function spreadRows(
  sql: string,
  types: readonly string[],
  rows: readonly (readonly Value[])[],
): unknown[] {
  const statement = translate(sql);
  return types.map((type, place) => {
    const list = rows.map((row) => bindOne(statement, row[place] ?? null, place) as Element);
    return isBinary(type) ? encodeList(type, list) : list;
  });
}
