/** The names of a ledger on PostgreSQL. */
import type { PostgresAccess } from '../../domain/postgres.ts';

export const defaultSchema = 'mediasweep';

/** As errors name it: without the password. */
export function nameLedger({ host, port, database, user, schema }: PostgresAccess): string {
  return `postgres://${user}@${host}:${port}/${database}${schema === undefined || schema === defaultSchema ? '' : ` (schema ${schema})`}`;
}
