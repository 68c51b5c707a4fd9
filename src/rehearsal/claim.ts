/** What a request claims about its signer, read from its Authorization header or from the query of a link. */
import type { ServerRequest } from '../domain/exchange.ts';
import { type Refusal, type RefusalCode, refuse } from './refusal.ts';
import type { Target } from './target.ts';

export const algorithm = 'AWS4-HMAC-SHA256';

export interface Claim {
  readonly via: 'header' | 'link';
  readonly accessKeyId: string;
  /** `20261120` of the credential scope. */
  readonly day: string;
  readonly region: string;
  /** Names in lower case, in the order given. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20261120T020000Z`. */
  readonly date: string;
  /** The third-last line of the signed text: a hash, or a word such as `UNSIGNED-PAYLOAD`. */
  readonly payload: string;
  /** Seconds; links only. */
  readonly expires?: number | undefined;
}

/** `undefined` for a request that claims nothing (anonymous). */
export function readClaim(request: ServerRequest, target: Target): Claim | Refusal | undefined {
  const authorization = request.headers['authorization'];
  if (authorization !== undefined) return readHeaderClaim(request, authorization);
  if (target.query.has('X-Amz-Algorithm') || target.query.has('X-Amz-Signature')) {
    return readLinkClaim(request, target);
  }
  if (target.query.has('AWSAccessKeyId')) return refuseMechanism();
  return undefined;
}

function refuseMechanism(): Refusal {
  return refuse(
    'InvalidRequest',
    'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
  );
}

function readHeaderClaim(request: ServerRequest, authorization: string): Claim | Refusal {
  if (!authorization.startsWith(`${algorithm} `)) return refuseMechanism();
  const fields = new Map(
    authorization
      .slice(algorithm.length)
      .split(',')
      .map((part): [string, string] => {
        const [name = '', ...value] = part.trim().split('=');
        return [name, value.join('=')];
      }),
  );
  const payload = request.headers['x-amz-content-sha256'];
  if (payload === undefined) {
    return refuse('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  const date = request.headers['x-amz-date'] ?? '';
  return readFields('AuthorizationHeaderMalformed', {
    via: 'header',
    credential: fields.get('Credential') ?? '',
    signedHeaders: fields.get('SignedHeaders') ?? '',
    signature: fields.get('Signature') ?? '',
    date,
    payload,
  });
}

function readLinkClaim(request: ServerRequest, target: Target): Claim | Refusal {
  const code = 'AuthorizationQueryParametersError';
  const read = (name: string): string => target.query.get(`X-Amz-${name}`) ?? '';
  if (read('Algorithm') !== algorithm) return refuse(code, `X-Amz-Algorithm only supports "${algorithm}"`);
  const expires = read('Expires');
  if (!/^\d{1,9}$/.test(expires)) return refuse(code, 'X-Amz-Expires should be a number');
  if (Number(expires) > 604_800) {
    return refuse(
      code,
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  const claim = readFields(code, {
    via: 'link',
    credential: read('Credential'),
    signedHeaders: read('SignedHeaders'),
    signature: read('Signature'),
    date: read('Date'),
    payload:
      target.query.get('X-Amz-Content-Sha256') ??
      request.headers['x-amz-content-sha256'] ??
      'UNSIGNED-PAYLOAD',
  });
  return 'refused' in claim ? claim : { ...claim, expires: Number(expires) };
}

function readFields(
  code: RefusalCode,
  fields: Pick<Claim, 'via' | 'signature' | 'date' | 'payload'> & {
    credential: string;
    signedHeaders: string;
  },
): Claim | Refusal {
  const scope = /^(.+)\/(\d{8})\/([^/]+)\/s3\/aws4_request$/.exec(fields.credential);
  if (scope === null) {
    return refuse(code, 'The Credential is malformed; expecting "<key>/YYYYMMDD/<region>/s3/aws4_request".');
  }
  const [, accessKeyId = '', day = '', region = ''] = scope;
  if (!/^\d{8}T\d{6}Z$/.test(fields.date)) {
    return fields.via === 'header'
      ? refuse('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header')
      : refuse(code, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  if (!fields.date.startsWith(day)) {
    return refuse(
      code,
      `Invalid credential date "${day}". This date is not the same as X-Amz-Date: "${fields.date.slice(0, 8)}".`,
    );
  }
  if (!/^[0-9a-f]{64}$/.test(fields.signature)) return refuse(code, 'The Signature is missing or malformed.');
  const { via, signature, date, payload } = fields;
  const signedHeaders = fields.signedHeaders.split(';');
  return { via, accessKeyId, day, region, signedHeaders, signature, date, payload };
}
