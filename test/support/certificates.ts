/** A certificate authority of a test's own, and a server's certificate of it for 127.0.0.1. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findMissingPrograms } from './programs.ts';

const run = promisify(execFile);

export const missingForCertificates = findMissingPrograms(['openssl']);

const options = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ');

export interface Certificates {
  /** Paths of files. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  remove(): Promise<void>;
}

/** Good for two days. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-certificates-'));
  await chmod(folder, 0o755);
  const at = (name: string) => join(folder, name);
  const make = (subject: string, key: string, certificate: string, more: readonly string[]) =>
    run('openssl', [
      ...options,
      '-subj',
      `/CN=${subject}`,
      '-keyout',
      at(key),
      '-out',
      at(certificate),
      ...more,
    ]);
  await make('authority of a test', 'authority.key', 'authority.pem', []);
  await make('127.0.0.1', 'server.key', 'server.pem', [
    '-CA',
    at('authority.pem'),
    '-CAkey',
    at('authority.key'),
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ]);
  return {
    authority: at('authority.pem'),
    certificate: at('server.pem'),
    key: at('server.key'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
