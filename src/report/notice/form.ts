/**
 * A notice as the call that its receiver understands, signed where there is a secret; and what its answer says.
 *
 * DingTalk, "Custom robot access" (read 2026-11-20): `timestamp` in milliseconds and `sign` stand in the query; the key is
 * the secret, the text is timestamp, line feed and secret. Feishu, "Custom bot usage guide" (read 2026-11-20): both stand in
 * the body, the timestamp in seconds; the key is timestamp, line feed and secret, and the text is empty. Both are HMAC with
 * SHA-256 in Base64, hold for an hour, and refuse with status 200 and a code in the body.
 */
import { createHmac } from 'node:crypto';
import type { Reply, SignedCall } from '../../domain/exchange.ts';
import { redactLinks } from '../../domain/link.ts';
import type { NoticeFormat, NotifySettings } from '../../domain/settings.ts';
import type { Notice } from './notice.ts';

/** Both bots refuse messages beyond some 20 KB. */
const mostCharacters = 4000;
const mostWords = 200;

/** Made anew for each try, since a signature holds for its timestamp. */
export function makeNoticeCall(
  { webhook, format, secret }: NotifySettings,
  notice: Notice,
  nowMs: number,
): SignedCall {
  const text = [notice.title, ...notice.lines].join('\n').slice(0, mostCharacters);
  const post = (url: string, body: object, headers: Readonly<Record<string, string>> = {}): SignedCall => ({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  });
  switch (format) {
    case 'dingtalk':
      return post(signForDingtalk(webhook, secret, nowMs), { msgtype: 'text', text: { content: text } });
    case 'feishu':
      return post(webhook, {
        ...(secret !== undefined && signForFeishu(secret, nowMs)),
        msg_type: 'text',
        content: { text },
      });
    case 'json': {
      const call = post(webhook, notice.document);
      return secret === undefined
        ? call
        : { ...call, headers: { ...call.headers, ...signPlainly(call, secret, nowMs) } };
    }
  }
}

function signForDingtalk(webhook: string, secret: string | undefined, nowMs: number): string {
  if (secret === undefined) return webhook;
  const sign = hash(secret, `${nowMs}\n${secret}`, 'base64');
  const separator = webhook.includes('?') ? '&' : '?';
  return `${webhook}${separator}timestamp=${nowMs}&sign=${encodeURIComponent(sign)}`;
}

function signForFeishu(secret: string, nowMs: number) {
  const timestamp = String(Math.floor(nowMs / 1000));
  return { timestamp, sign: hash(`${timestamp}\n${secret}`, '', 'base64') };
}

/** Our own: `sha256=` and HMAC in hex over the timestamp, a full stop and the body. */
function signPlainly({ body = '' }: SignedCall, secret: string, nowMs: number) {
  const timestamp = String(nowMs);
  const signature = `sha256=${hash(secret, `${timestamp}.${body}`, 'hex')}`;
  return { 'x-mediasweep-timestamp': timestamp, 'x-mediasweep-signature': signature };
}

function hash(key: string, text: string, encoding: 'base64' | 'hex'): string {
  return createHmac('sha256', key).update(text, 'utf8').digest(encoding);
}

export interface NoticeRefusal {
  readonly words: string;
  /** Worth another try: the receiver is busy, or broken for the moment. */
  readonly isPassing: boolean;
}

/** `undefined` where the message was taken. */
export function readNoticeReply(format: NoticeFormat, { status, body }: Reply): NoticeRefusal | undefined {
  if (status < 200 || status > 299) {
    return { words: `status ${status}`, isPassing: status >= 500 || status === 429 || status === 408 };
  }
  if (format === 'json') return undefined;
  const { code, words } = readCode(body);
  if (code === 0) return undefined;
  // DingTalk: -1 "system busy"; Feishu: 11232 "frequency limited".
  return { words: `${words} (${code})`, isPassing: code === -1 || code === 11_232 };
}

/** `errcode` and `errmsg` of DingTalk, `code` and `msg` of Feishu. */
function readCode(body: string): { readonly code: number | string; readonly words: string } {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return { code: 'no code', words: 'an answer that is not JSON' };
  }
  const read = (name: string): unknown =>
    typeof answer === 'object' && answer !== null && Object.hasOwn(answer, name)
      ? (answer as Readonly<Record<string, unknown>>)[name]
      : undefined;
  const code = read('errcode') ?? read('code') ?? read('StatusCode');
  const words = read('errmsg') ?? read('msg') ?? read('StatusMessage');
  return {
    code: typeof code === 'number' ? code : 'no code',
    words: typeof words === 'string' ? redactLinks(words).slice(0, mostWords) : 'no words',
  };
}
