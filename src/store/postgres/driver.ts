/** Loads the PostgreSQL driver, which is no part of a plain install, or says how to get it. */
import type Pg from 'pg';
import { describeError, wrongUse } from '../../domain/problem.ts';

export type Driver = Pick<typeof Pg, 'Client' | 'Pool'>;

/** @throws `Stop` with exit 2 where the package is not installed */
export async function loadPostgresDriver(
  importDriver: () => Promise<{ readonly default: Driver }> = () => import('pg'),
): Promise<Driver> {
  try {
    const { default: driver } = await importDriver();
    return driver;
  } catch (error) {
    const words = describeError(error).split('\n', 1)[0] ?? '';
    throw wrongUse(
      `ledger: a ledger on PostgreSQL needs the package "pg", which cannot be loaded: ${words}. Run: npm install pg@8`,
    );
  }
}
