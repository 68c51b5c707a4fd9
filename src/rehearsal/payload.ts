/** Takes a request's body out of its transfer coding and checks every hash and checksum that came with it. */
import type { ServerRequest } from '../domain/exchange.ts';
import { checkDigests } from './digest.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import { hash, isSame, type Signer, scopeOf, sign } from './signature.ts';

interface Unwrapped {
  readonly bytes: Buffer;
  readonly trailers: ReadonlyMap<string, string>;
}

/** The object's own bytes, or why they cannot be trusted. */
export function readPayload(request: ServerRequest, signer: Signer | undefined): Buffer | Refusal {
  const claimed = signer?.claim.payload ?? 'UNSIGNED-PAYLOAD';
  const unwrapped = claimed.startsWith('STREAMING-')
    ? unwrapChunks(request, signer, claimed)
    : { bytes: Buffer.from(request.body), trailers: new Map<string, string>() };
  if (isRefusal(unwrapped)) return unwrapped;
  const { bytes, trailers } = unwrapped;
  if (/^[0-9a-f]{64}$/.test(claimed)) {
    if (!isSame(hash(bytes), claimed)) return refuse('XAmzContentSHA256Mismatch');
  } else if (claimed !== 'UNSIGNED-PAYLOAD' && !claimed.startsWith('STREAMING-')) {
    return refuse(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-... or a valid sha256 value.',
    );
  }
  return checkDigests((name) => request.headers[name] ?? trailers.get(name), bytes) ?? bytes;
}

const streams: ReadonlyMap<string, { readonly isSigned: boolean; readonly hasTrailer: boolean }> = new Map([
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { isSigned: true, hasTrailer: false }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { isSigned: true, hasTrailer: true }],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { isSigned: false, hasTrailer: true }],
]);

/**
 * `aws-chunked`: lines `size[;chunk-signature=hex]`, the bytes, CRLF; a last chunk of size 0; trailer lines; an
 * empty line. Each signature goes on from the one before it, the first from the request's own. Amazon S3 API
 * Reference, pages `sigv4-streaming` and `sigv4-streaming-trailers`, read 2026-11-20.
 */
function unwrapChunks(
  request: ServerRequest,
  signer: Signer | undefined,
  claimed: string,
): Unwrapped | Refusal {
  const stream = streams.get(claimed);
  if (stream === undefined || signer === undefined) return refuse('NotImplemented');
  const body = Buffer.from(request.body);
  const chunks: Buffer[] = [];
  let previous = signer.claim.signature;
  let position = 0;
  for (;;) {
    const line = readLine(body, position);
    const head = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line?.text ?? '');
    if (line === undefined || head === null) return refuse('IncompleteBody');
    const size = Number.parseInt(head[1] ?? '', 16);
    const chunk = body.subarray(line.next, line.next + size);
    if (chunk.length < size) return refuse('IncompleteBody');
    if (stream.isSigned) {
      const expected = signPart(signer, 'PAYLOAD', previous, [hash(''), hash(chunk)]);
      if (!isSame(expected, head[2] ?? '')) return refuse('SignatureDoesNotMatch');
      previous = expected;
    }
    position = line.next + size;
    if (size === 0) break;
    if (body.toString('latin1', position, position + 2) !== '\r\n') return refuse('IncompleteBody');
    position += 2;
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length !== Number(request.headers['x-amz-decoded-content-length']))
    return refuse('IncompleteBody');
  const trailers = readTrailers(body, position);
  if (isRefusal(trailers) || !stream.isSigned || !stream.hasTrailer) {
    return isRefusal(trailers) ? trailers : { bytes, trailers };
  }
  const signed = [...trailers].filter(([name]) => name !== 'x-amz-trailer-signature');
  const expected = signPart(signer, 'TRAILER', previous, [
    hash(signed.map(([name, value]) => `${name}:${value}\n`).join('')),
  ]);
  const isRight = isSame(expected, trailers.get('x-amz-trailer-signature') ?? '');
  return isRight ? { bytes, trailers } : refuse('SignatureDoesNotMatch');
}

function signPart(
  signer: Signer,
  part: 'PAYLOAD' | 'TRAILER',
  previous: string,
  hashes: readonly string[],
): string {
  const { claim, signingKey } = signer;
  return sign(signingKey, [`AWS4-HMAC-SHA256-${part}`, claim.date, scopeOf(claim), previous, ...hashes]);
}

function readTrailers(body: Buffer, start: number): Map<string, string> | Refusal {
  const trailers = new Map<string, string>();
  for (let position = start; ; ) {
    const line = readLine(body, position);
    if (line === undefined) return refuse('IncompleteBody');
    if (line.text === '') return trailers;
    const cut = line.text.indexOf(':');
    if (cut < 0) return refuse('IncompleteBody');
    trailers.set(line.text.slice(0, cut).trim().toLowerCase(), line.text.slice(cut + 1).trim());
    position = line.next;
  }
}

function readLine(body: Buffer, start: number): { readonly text: string; readonly next: number } | undefined {
  const end = body.indexOf('\r\n', start);
  return end < 0 ? undefined : { text: body.toString('latin1', start, end), next: end + 2 };
}
