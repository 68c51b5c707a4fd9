/** Trouble with disk and database in words: what it was, where, and what to do. */
import { describeError, exitCodes, Stop, wrongUse } from '../domain/problem.ts';

function readCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function halt(message: string, cause: unknown): Stop {
  return new Stop(exitCodes.halted, message, [], cause);
}

/**
 * A file system's error as a `Stop`: exit 3 where the disk is at fault and running again goes on, exit 2 where a path or
 * its permissions are. Any other value comes back as it is.
 */
export function explainFileError(what: string, path: string, error: unknown): unknown {
  return explain(readCode(error), `${what} "${path}"`, error);
}

/** A database's error as a `Stop`, as `explainFileError` does for files. Any other value comes back as it is. */
export function explainDatabaseError(what: string, path: string, error: unknown): unknown {
  const [family, kind = ''] = readCode(error).split('_');
  const code = family === 'SQLITE' ? (sqliteCodes[kind] ?? '') : readCode(error);
  return explain(code, `${what} "${path}"`, error);
}

/** SQLite's codes that have a namesake among the file system's, and two of its own. */
const sqliteCodes: Readonly<Record<string, string>> = {
  FULL: 'ENOSPC',
  IOERR: 'EIO',
  READONLY: 'EACCES',
  CANTOPEN: 'EACCES',
  PERM: 'EACCES',
  CORRUPT: 'corrupt',
  NOTADB: 'corrupt',
  BUSY: 'busy',
  LOCKED: 'busy',
};

function explain(code: string, place: string, error: unknown): unknown {
  const words = describeError(error);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return halt(`${place}: the disk is full: ${words}. Free some space, then run again to go on.`, error);
    case 'EIO':
      return halt(`${place}: the disk failed: ${words}. Check it, then run again to go on.`, error);
    case 'corrupt':
      return halt(
        `${place}: the file is damaged or of another kind: ${words}. Put a copy of it back${place.startsWith('ledger ') ? ': `mediasweep ledger restore` takes the newest backup' : ''}, or move it away${place.startsWith('ledger ') ? ', and "backups" with it,' : ''} to begin with an empty one, which knows no answer that was paid for before.`,
        error,
      );
    case 'busy':
      return halt(
        `${place}: another process keeps it locked: ${words}. See what else has the file open, then run again to go on.`,
        error,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return wrongUse(
        `${place}: it cannot be written: ${words}. Let this user write there, or name another folder.`,
      );
    case 'ENOENT':
      return wrongUse(`${place}: there is no such folder. Make it, or name another.`);
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
    case 'ENOTEMPTY':
    case 'ENAMETOOLONG':
      return wrongUse(
        `${place}: something else stands there, or the name is too long: ${words}. Move it away, or name another folder.`,
      );
    default:
      return error;
  }
}
