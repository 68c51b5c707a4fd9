/** Says what went wrong between us and a storage: what the server said, and what the person can do. */
import { describeError, exitCodes, Stop } from '../domain/problem.ts';
import type { StorageRefusal } from '../domain/storage.ts';
import { redactLinks } from '../domain/link.ts';
import type { Storage } from '../domain/settings.ts';

/** What an error of the SDK carries, as far as we read it. */
interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly status: number | undefined;
}

interface Advice {
  readonly exitCode: 2 | 3;
  readonly wrong: string;
  readonly action: string;
}

const runAgain = 'Run again to go on.';
const checkKeys = 'Check accessKeyId and secretAccessKey of this storage.';

const notImplemented: Advice = {
  exitCode: exitCodes.wrongUse,
  wrong: 'the server does not support this',
  action: 'Where a manifest names versions of objects, leave them out; else use another storage.',
};

const adviceByCode: Readonly<Record<string, Advice>> = {
  ...adviseAll(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidSecurity', 'AuthFailure'], {
    exitCode: exitCodes.wrongUse,
    wrong: 'the credentials were refused',
    action: checkKeys,
  }),
  ...adviseAll(['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired'], {
    exitCode: exitCodes.wrongUse,
    wrong: 'the session token has ended or is wrong',
    action: 'Fetch new credentials and run again.',
  }),
  ...adviseAll(['CredentialsProviderError', 'TokenProviderError'], {
    exitCode: exitCodes.wrongUse,
    wrong: 'no credentials were found',
    action:
      'Set accessKeyId and secretAccessKey of this storage, or the AWS environment variables or profile.',
  }),
  ...adviseAll(['RequestTimeTooSkewed'], {
    exitCode: exitCodes.wrongUse,
    wrong: "this machine's clock and the server's differ too much",
    action: 'Set the clock.',
  }),
  ...adviseAll(['NoSuchBucket', 'InvalidBucketName'], {
    exitCode: exitCodes.wrongUse,
    wrong: 'there is no such bucket',
    action: 'Check the name of the bucket, and the endpoint, region and pathStyle of this storage.',
  }),
  ...adviseAll(['NotImplemented'], notImplemented),
  ...adviseAll(['NoSuchUpload'], {
    exitCode: exitCodes.halted,
    wrong: 'the upload was ended by someone else',
    action: `Check that nothing clears unfinished uploads of this bucket within minutes. ${runAgain}`,
  }),
  ...adviseAll(['NoSuchKey', 'NotFound'], {
    exitCode: exitCodes.wrongUse,
    wrong: 'there is no such object',
    action: 'Check the key and the bucket.',
  }),
  ...adviseAll(
    [
      'PermanentRedirect',
      'AuthorizationHeaderMalformed',
      'IllegalLocationConstraintException',
      'TemporaryRedirect',
    ],
    {
      exitCode: exitCodes.wrongUse,
      wrong: 'the bucket is in another region or at another endpoint',
      action: 'Correct region and endpoint of this storage.',
    },
  ),
  ...adviseAll(['SecondLevelDomainForbidden'], {
    exitCode: exitCodes.wrongUse,
    wrong: 'this server does not take buckets in the path',
    action: 'Set pathStyle: false of this storage.',
  }),
  ...adviseAll(
    ['ENOTFOUND', 'ERR_INVALID_URL', 'EPROTO', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT'].concat(
      ['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID'],
      ['ERR_SSL_WRONG_VERSION_NUMBER', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'HPE_INVALID_CONSTANT'],
    ),
    {
      exitCode: exitCodes.wrongUse,
      wrong: 'the endpoint cannot be used',
      action: 'Check the endpoint of this storage: protocol, host and port.',
    },
  ),
  ...adviseAll(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'], {
    exitCode: exitCodes.halted,
    wrong: 'the server cannot be reached',
    action: `Check that it runs and that the endpoint of this storage is right. ${runAgain}`,
  }),
};

/**
 * The `Stop` for an error while `deed` (such as `listing bucket "media"`) was done at a storage: exit 2 for what a
 * person must set right (credentials, bucket, endpoint, region, clock), exit 3 for a server that was lost.
 */
export function explainRefusal(storage: Storage, deed: string, error: unknown): Stop {
  if (error instanceof Stop) return error;
  const refusal = readRefusal(error);
  const advice = adviceByCode[refusal.code] ?? adviseByStatus(refusal.status);
  const status = refusal.status === undefined ? '' : ` (${refusal.status})`;
  // The SDK's word where an answer has no body, as that to a HEAD.
  const isMute = refusal.message === 'UnknownError';
  const said = `"${isMute ? refusal.code : `${refusal.code}: ${refusal.message}`}"${status}`;
  const region = readNamedRegion(error);
  const isElsewhere = region !== undefined && region !== storage.region;
  const action = isElsewhere ? adviseRegion(storage, region) : advice.action;
  const text = `${nameStorage(storage)}: ${deed}: ${advice.wrong}: ${said}. ${action}`;
  return new Stop(advice.exitCode, text, [], error);
}

function adviseRegion({ region, endpoint }: Storage, named: string): string {
  const beside = endpoint === undefined ? '' : ', and endpoint too where it holds a region';
  return `The server names region "${named}": set region of this storage, now "${region}", to that${beside}.`;
}

const aboutKeys = new Set(
  ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidSecurity', 'AuthFailure', 'ExpiredToken'].concat(
    ['ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired', 'CredentialsProviderError'],
    ['TokenProviderError'],
  ),
);

/** What a refusal is about, and where the server says that the bucket is. */
export function judgeRefusal(error: unknown): Omit<StorageRefusal, 'stop'> {
  const { code, status } = readRefusal(error);
  const region = readNamedRegion(error);
  const endpoint = readText(error, 'Endpoint');
  const whereabouts = {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
  };
  if (code === 'RequestTimeTooSkewed') return { about: 'clock', ...whereabouts };
  if (aboutKeys.has(code) && region === undefined) return { about: 'keys' };
  const { exitCode } = error instanceof Stop ? error : (adviceByCode[code] ?? adviseByStatus(status));
  return { about: exitCode === exitCodes.halted ? 'lost' : 'other', ...whereabouts };
}

/**
 * A bucket elsewhere is told by the header `x-amz-bucket-region` (AWS, "HeadBucket"), an element `Region` (AWS and MinIO,
 * `AuthorizationHeaderMalformed`) or in words alone; pages read 2026-11-20.
 */
function readNamedRegion(error: unknown): string | undefined {
  const headers = readField(readField(error, '$response'), 'headers');
  const named = readText(headers, 'x-amz-bucket-region') ?? readText(error, 'Region');
  return named ?? /\bexpecting '([\w-]+)'/.exec(describeError(error))?.[1];
}

/** True where the server says that the thing asked for does not exist. */
export function isAbsent(error: unknown): boolean {
  const { code, status } = readRefusal(error);
  return status === 404 && code !== 'NoSuchBucket';
}

/** `storage "main" (https://s3.example)`: where an error text begins. */
export function nameStorage(storage: Storage): string {
  if (storage.endpoint === undefined) return `storage "${storage.name}" (AWS, region ${storage.region})`;
  const origin = URL.canParse(storage.endpoint) ? new URL(storage.endpoint).origin : 'unreadable endpoint';
  return `storage "${storage.name}" (${origin})`;
}

function adviseByStatus(status: number | undefined): Advice {
  if (status === 501) return notImplemented;
  if (
    status === undefined ||
    status >= 500 ||
    status === 408 ||
    status === 429 ||
    status === 200 ||
    status === 206
  ) {
    return { exitCode: exitCodes.halted, wrong: 'the server was lost', action: runAgain };
  }
  if (status === 401 || status === 403) {
    const action = 'Check the credentials of this storage and what they may do there.';
    return { exitCode: exitCodes.wrongUse, wrong: 'access was refused', action };
  }
  if (status >= 300 && status < 400) {
    const action = 'Correct region and endpoint of this storage.';
    return { exitCode: exitCodes.wrongUse, wrong: 'the server answered elsewhere', action };
  }
  const action = 'Check endpoint, region, pathStyle and bucket of this storage.';
  return { exitCode: exitCodes.wrongUse, wrong: 'the server refused the request', action };
}

function adviseAll(codes: readonly string[], advice: Advice): Readonly<Record<string, Advice>> {
  return Object.fromEntries(codes.map((code) => [code, advice]));
}

/** The server's word for what is wrong, or the system's. */
function readCode(error: unknown): string | undefined {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return (
    readText(error, 'Code') ?? readText(error, 'code') ?? readText(first, 'code') ?? readText(error, 'name')
  );
}

function readRefusal(error: unknown): Refusal {
  const status = readNumber(readField(error, '$metadata'), 'httpStatusCode');
  return {
    code: readCode(error) ?? 'Error',
    message: cutMessage(redactLinks(describeError(error))),
    status: status ?? readNumber(readField(error, '$response'), 'statusCode'),
  };
}

function cutMessage(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}...` : line;
}

/** A field of whatever it is; `undefined` where there is none. */
export function readField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function readText(value: unknown, name: string): string | undefined {
  const field = readField(value, name);
  return typeof field === 'string' && field !== '' ? field : undefined;
}

function readNumber(value: unknown, name: string): number | undefined {
  const field = readField(value, name);
  return typeof field === 'number' ? field : undefined;
}
