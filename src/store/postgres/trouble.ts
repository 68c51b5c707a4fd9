/** Trouble with PostgreSQL in words: what it was, where, and what to do. */
import { describeError, exitCodes, Stop, wrongUse } from '../../domain/problem.ts';

export function readCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

const lostWords =
  /Connection terminated|timeout exceeded when trying to connect|connection error and is not queryable|Client was closed|Query read timeout/;

/**
 * Whether the connection is gone, or the server is about to go or to come: what was asked may be asked again on another
 * connection. Codes of class 08, 57P and 25P03: https://www.postgresql.org/docs/15/errcodes-appendix.html, read 2026-11-20.
 */
export function isLost(error: unknown): boolean {
  if (error instanceof Stop) return false;
  const code = readCode(error);
  if (networkCodes.has(code) || code === '25P03' || code === '53300' || code === '25006') return true;
  if (code.startsWith('08') || code.startsWith('57P0')) return true;
  return error instanceof Error && lostWords.test(error.message);
}

/** Whether the transaction was given up for the sake of another one, and may be tried again at once. */
export function isGivenUp(error: unknown): boolean {
  return readCode(error) === '40001' || readCode(error) === '40P01';
}

/** Of a certificate that the system does not trust: https://nodejs.org/api/tls.html#x509-certificate-error-codes, read 2026-11-20. */
const distrust = /^(?:UNABLE_TO_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/;

/** As a `Stop` where a person can do something about it. Any other value comes back as it is. */
export function explainPostgresError(ledger: string, error: unknown): unknown {
  if (error instanceof Stop) return error;
  const place = `ledger "${ledger}"`;
  const words = describeError(error);
  const code = readCode(error);
  if (code === '28000' && words.includes('no encryption')) {
    return wrongUse(
      `${place}: the server does not let this user in without encryption: ${words}. Set tls: true in config/cluster.yaml.`,
    );
  }
  // The driver's own words where the server asks for a password and none is there (pg 8.23).
  if (/client password must be a (?:non-empty )?string/.test(words)) {
    return wrongUse(
      `${place}: the server asks for a password, and none was given. Name the environment variable that holds it in config/cluster.yaml (password: "\${POSTGRES_PASSWORD}"), or set PGPASSWORD where an address is given.`,
    );
  }
  if (code === '28P01' || code === '28000') {
    return wrongUse(
      `${place}: the server does not let this user in: ${words}. Check the user in config/cluster.yaml and the environment variable that holds the password.`,
    );
  }
  if (distrust.test(code)) {
    return wrongUse(
      `${place}: the certificate of the server is not trusted: ${words}. Set NODE_EXTRA_CA_CERTS to the file of its authority's certificate, and name the host in config/cluster.yaml as the certificate has it.`,
    );
  }
  if (words.includes('does not support SSL connections')) {
    return wrongUse(
      `${place}: the server encrypts no connection: ${words}. Set \`ssl = on\` there, or tls: false in config/cluster.yaml.`,
    );
  }
  if (code === '3D000') {
    return wrongUse(
      `${place}: there is no such database: ${words}. Make it (\`createdb\`), or name another in config/cluster.yaml.`,
    );
  }
  if (code === '42501') {
    return wrongUse(
      `${place}: the user may not do this: ${words}. Let them create a schema in this database, or own the one that the ledger is in.`,
    );
  }
  const halt = (what: string) => new Stop(exitCodes.halted, `${place}: ${what}`, [], error);
  if (code === '53100') {
    return halt(`the server's disk is full: ${words}. Free some space there, then run again to go on.`);
  }
  if (code === '55P03') {
    return halt(
      `another process has been writing for a minute: ${words}. See \`pg_stat_activity\` for who it is, then run again to go on.`,
    );
  }
  if (code === '25006') {
    return halt(
      `the server takes no writes: ${words}. Name the primary in config/cluster.yaml, then run again to go on.`,
    );
  }
  if (isLost(error)) {
    return halt(
      `the server cannot be reached: ${words}. See that PostgreSQL is up and that config/cluster.yaml names it, then run again to go on.`,
    );
  }
  return error;
}
