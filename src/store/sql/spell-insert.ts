const spelled = new Map<string, { readonly columns: readonly string[]; readonly sql: string }>();

/** The statement that adds a row with these columns; the same text each time, so that it is found among those prepared. */
export function spellInsert(table: string, columns: readonly string[]): string {
  const last = spelled.get(table);
  if (last?.columns.length === columns.length && columns.every((one, place) => one === last.columns[place])) {
    return last.sql;
  }
  const sql = `INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`;
  spelled.set(table, { columns, sql });
  return sql;
}
