/** The copies of a ledger that lie in `backups/` of its state folder. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const namePattern = /^ledger-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.db$/;

export interface Copy {
  readonly path: string;
  readonly madeAtMs: number;
}

/** Newest first, by their names. */
export function listCopies(folder: string): readonly Copy[] {
  const backups = join(folder, 'backups');
  if (!existsSync(backups)) return [];
  return readdirSync(backups)
    .flatMap((name): Copy[] => {
      const [, year, month, day, hour, minute, second] = namePattern.exec(name) ?? [];
      if (year === undefined) return [];
      const madeAtMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
      return [{ path: join(backups, name), madeAtMs }];
    })
    .sort((one, other) => other.madeAtMs - one.madeAtMs);
}
