/** Checks requests by their raw form, with the fall-backs that official SDKs need, and signs callbacks. */
import { createHmac } from 'node:crypto';
import type { ServerRequest } from '../../../domain/exchange.ts';

export interface EmulatorKeys {
  readonly accessKey: string;
  readonly secretKey: string;
}

/**
 * Whether the `Authorization` fits the request as received; else with the path decoded (Go and Java SDK), else with
 * the port of the host doubled (Node SDK 7.15.2 on ports other than 80 and 443).
 */
export function isSigned(request: ServerRequest, keys: EmulatorKeys): boolean {
  const given = request.headers['authorization'] ?? '';
  const host = request.headers['host'] ?? '';
  const paths = [request.path, decodePath(request.path)];
  const hosts = [host, host.replace(/(:\d+)$/, '$1$1')];
  return hosts.some((oneHost) =>
    paths.some(
      (path) => given === `Qiniu ${keys.accessKey}:${sign(writeText(request, oneHost, path), keys)}`,
    ),
  );
}

/** The `Authorization` of a callback: `QBox` covers path and form bodies, `Qiniu` what a request's signature does. */
export function signCallback(
  scheme: 'QBox' | 'Qiniu',
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  keys: EmulatorKeys,
): string {
  const { host, pathname, search } = new URL(url);
  const request = {
    method: 'POST',
    path: pathname,
    query: search.slice(1),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body),
  };
  const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded';
  const text =
    scheme === 'QBox'
      ? Buffer.from(`${pathname}${search}\n${isForm ? body : ''}`)
      : writeText(request, host, pathname);
  return `${scheme} ${keys.accessKey}:${sign(text, keys)}`;
}

/** The bytes to sign, as the platform's page on the "Qiniu" scheme lists them. */
function writeText(request: ServerRequest, host: string, path: string): Buffer {
  const type = request.headers['content-type'];
  let head = `${request.method} ${path}`;
  if (request.query !== '') head += `?${request.query}`;
  head += `\nHost: ${host}`;
  if (type !== undefined) head += `\nContent-Type: ${type}`;
  const own = Object.keys(request.headers).filter((name) => name.length > 8 && name.startsWith('x-qiniu-'));
  for (const name of own.map(capitalise).sort()) {
    head += `\n${name}: ${request.headers[name.toLowerCase()] ?? ''}`;
  }
  head += '\n\n';
  const hasSignedBody = type !== undefined && type !== 'application/octet-stream';
  return Buffer.concat([Buffer.from(head), hasSignedBody ? request.body : Buffer.alloc(0)]);
}

function capitalise(name: string): string {
  return name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('-');
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function sign(text: Buffer, keys: EmulatorKeys): string {
  const base64 = createHmac('sha1', keys.secretKey).update(text).digest('base64');
  return base64.replace(/[+/]/g, (sign64) => (sign64 === '+' ? '-' : '_'));
}
