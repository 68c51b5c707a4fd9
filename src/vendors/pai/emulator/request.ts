/** What the stand-in reads out of a request's body, and the faults it finds there, in the words of a Go server. */
import type { ServerRequest } from '../../../domain/exchange.ts';
import { readJson } from '../../emulation.ts';

type FieldType = 'string' | 'object' | 'array';

export interface Body {
  readonly action: string;
  readonly model: string;
  readonly image: string;
  readonly videoUrl: string;
  readonly title: string;
  readonly text: string;
  readonly images: readonly string[];
  readonly videos: readonly { readonly url: string; readonly title: string }[];
  readonly configure: Readonly<Record<string, unknown>>;
}

const fields: Readonly<Record<string, Readonly<Record<string, FieldType>>>> = {
  ImageRequest: { action: 'string', image: 'string', model_name: 'string', configure: 'object' },
  VideoRequest: {
    action: 'string',
    video_url: 'string',
    video_title: 'string',
    model_name: 'string',
    text: 'string',
    images: 'array',
    configure: 'object',
  },
  BatchVideoRequest: { action: 'string', videos: 'array', model_name: 'string', configure: 'object' },
};

/** The body, or the message of a 400. Missing, `null` and empty fields are alike. */
export function readBody(request: ServerRequest, struct: string): Body | string {
  const text = new TextDecoder().decode(request.body);
  const json = readJson(text);
  if (!isObject(json)) return 'Invalid Input - json format error - json parse runtime exception';
  for (const [field, type] of Object.entries(fields[struct] ?? {})) {
    const got = typeOf(json[field]);
    if (got !== 'null' && got !== type) return describeTypeError(text, struct, field, type, got);
  }
  const list = (value: unknown) => (Array.isArray(value) ? value : []);
  return {
    action: asText(json['action']),
    model: asText(json['model_name']),
    image: asText(json['image']),
    videoUrl: asText(json['video_url']),
    title: asText(json['video_title']),
    text: asText(json['text']),
    images: list(json['images']).map(asText),
    videos: list(json['videos']).map((one: unknown) =>
      isObject(one) ? { url: asText(one['url']), title: asText(one['title']) } : { url: '', title: '' },
    ),
    configure: isObject(json['configure']) ? json['configure'] : {},
  };
}

/** The form of the manual's sample; the offset is the byte just past the offending value, as Go counts. */
function describeTypeError(
  text: string,
  struct: string,
  field: string,
  type: FieldType,
  got: string,
): string {
  const found = new RegExp(`"${field}"\\s*:\\s*(-?[\\d.eE+-]+|true|false|"(?:[^"\\\\]|\\\\.)*"|[[{])`).exec(
    text,
  );
  const end = found ? found.index + found[0].length : 0;
  const offset = Buffer.byteLength(text.slice(0, end));
  const expected = { string: 'string', object: 'map[string]interface {}', array: '[]string' }[type];
  return (
    `Unmarshal type error: expected=${expected}, got=${got}, field=${field}, offset=${offset}, ` +
    `internal=json: cannot unmarshal ${got} into Go struct field ${struct}.${field} of type ${expected}`
  );
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
