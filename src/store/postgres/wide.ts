/** One statement over many rows of values: as many answers in one way over the network. */
import type { Client } from 'pg';
import { translate } from './dialect.ts';

/** Types of a statement's values, by its text; the same on every connection. */
const knownTypes = new Map<string, readonly string[]>();

type Asker = Pick<Client, 'query'>;

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

/** The statement for each row of its values: with a column `#` that says which of them, from 1, and in their order. */
export function widen(sql: string, types: readonly string[]): string {
  const values = types.map((_, index) => `p${index + 1}`);
  const lists = types.map((type, index) => `$${index + 1}::${type}[]`);
  const own = translate(sql).text.replaceAll(/\$(\d+)/g, 'q.p$1');
  return `SELECT q.n AS "#", r.* FROM unnest(${lists.join(', ')}) WITH ORDINALITY AS q(${[...values, 'n'].join(', ')})
    CROSS JOIN LATERAL (${own}) AS r ORDER BY q.n`;
}
