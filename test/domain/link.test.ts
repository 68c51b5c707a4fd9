import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashLink, hasSecrets, identityUrl, redactLinks, safeUrl } from '../../src/domain/link.ts';

const base = 'https://cdn.example/ugc/猫 1.mp4';
const amazon =
  'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261120&X-Amz-Date=20261120T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=0f3a&X-Amz-Security-Token=tok';

/** What makes links, broken ones too. */
const piece = fc.oneof(
  fc.constantFrom('https://a.example/b', 'http:\\/\\/', 'https%3A%2F%2Fx', '%3f', 'token', '猫', '，', '😀'),
  fc.constantFrom('?', '&', '=', '\\', '"', "'", '\n', ' ', '}', '@', ':', '/', '#', '\ud800'),
);

describe('the identity of a link', () => {
  it.each([
    ['no query', '', ''],
    ['an empty query', '?', '?'],
    ['parameters that choose the media', '?id=7&size=large', '?id=7&size=large'],
    ['an Amazon signature', `?${amazon}`, ''],
    ['an Amazon signature among parameters', `?versionId=3&${amazon}&part=2`, '?versionId=3&part=2'],
    ['an Amazon parameter alone, in any case and encoding', '?x-amz-date=1&X%2DAmz-Expires=2&a=1', '?a=1'],
    ['an older Amazon signature', '?AWSAccessKeyId=AK&Expires=1&Signature=s%3D&a=1', '?a=1'],
    ['an OSS signature', '?OSSAccessKeyId=AK&Expires=1&Signature=s&security-token=t', ''],
    ['an OBS signature', '?AccessKeyId=AK&Expires=1&Signature=s', ''],
    ['a signature without a key id', '?Expires=1&Signature=s', '?Expires=1&Signature=s'],
    ['a signature without expiry', '?AccessKeyId=AK&Signature=s', '?AccessKeyId=AK&Signature=s'],
    ['a key id without a signature', '?AccessKeyId=AK&Expires=1', '?AccessKeyId=AK&Expires=1'],
    ['a security token alone', '?security-token=t', '?security-token=t'],
    ['a Qiniu download token', '?e=1451491200&token=AK:sig=', ''],
    ['a Qiniu download token behind a style', '?imageView2/2/w/200&e=1&token=t', '?imageView2/2/w/200'],
    ['e alone', '?e=1', '?e=1'],
    ['token alone', '?token=t', '?token=t'],
    ['a fragment', `?${amazon}#t=10`, '#t=10'],
    ['a fragment that looks like a query', '#?e=1&token=t', '#?e=1&token=t'],
  ])('with %s is the rest as written', (_, query, rest) => {
    expect(identityUrl(`${base}${query}`)).toBe(`${base}${rest}`);
  });

  it('does not depend on who fetches it', () => {
    expect(identityUrl('https://me:secret@cdn.example/a.jpg?v=1')).toBe('https://cdn.example/a.jpg?v=1');
  });

  it('is the same when the link is signed anew, and its own identity', () => {
    const name = fc.constantFrom('a', 'v', 'id', 'e', 'Expires', 'token', 'x');
    const pairs = fc.array(fc.tuple(name, fc.webPath()), { maxLength: 4 });
    fc.assert(
      fc.property(pairs, fc.nat(), (written, signature) => {
        const query = written.map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
        const plain = `${base}${query.length === 0 ? '' : `?${query.join('&')}`}`;
        const mark = query.length === 0 ? '?' : '&';
        const signed = `${plain}${mark}X-Amz-Date=1&X-Amz-Signature=${signature}`;
        expect(identityUrl(signed)).toBe(identityUrl(plain));
        expect(identityUrl(identityUrl(signed))).toBe(identityUrl(signed));
      }),
    );
  });
});

describe('a link that may be seen', () => {
  it.each([
    `?${amazon}`,
    '?x-amz-signature=1',
    '?Signature=s',
    '?e=1&token=t',
    '?access_token=t',
    '?auth_key=1-0-0-abc',
    '?sign=abc&t=1',
    '?wsSecret=1&wsTime=2',
    '?q-signature=1',
    '?sig=abc&se=2026',
    '?apiKey=1',
    '?PASSWORD=1',
    '?client_credential=1',
    '?jwt=a.b.c',
    '?session=1',
    '?md5=1&expires=2',
    '?a=1;token=t',
    '?to%6Ben=t',
    '?to%0Aken=t',
    '?a=1#access_token=t',
    '#access_token=t',
    '?url=https%3A%2F%2Fb.example%2Fc%3FX-Amz-Signature%3D1',
    '?url=https%253A%252F%252Fb.example%253Ftoken%253D1',
    '?url=https%3A%2F%2Fme%3Apw%40b.example%2Fc',
  ])('ends before %s', (query) => {
    expect(safeUrl(`${base}${query}`)).toBe(base);
    expect(hasSecrets(`${base}${query}`)).toBe(true);
  });

  it.each([
    '',
    '?',
    '?id=7&size=large',
    '?imageView2/2/w/200',
    '?versionId=3#t=10',
    '?e=1',
    '?q=100%&r=%zz',
    '?time=token',
    '?mail=a@b.example',
  ])('keeps %j', (query) => {
    expect(safeUrl(`${base}${query}`)).toBe(`${base}${query}`);
    expect(hasSecrets(`${base}${query}`)).toBe(false);
  });

  it.each([
    ['https://me:pw@a.example/b', 'https://a.example/b'],
    ['https://token@a.example/b?v=1', 'https://a.example/b?v=1'],
    ['HTTPS://me:p@w@a.example/b', 'HTTPS://a.example/b'],
    ['https:me:pw@a.example/b', 'https:a.example/b'],
    ['https:\\\\me:pw@a.example\\b', 'https:a.example\\b'],
    ['s3://AK:SK@bucket/key@2x.png', 's3://bucket/key@2x.png'],
    ['//me:pw@a.example/b', '//a.example/b'],
    ['https:x@//me:pw@a.example/b', 'https://a.example/b'],
    ['https:1@/2@/3@/4@/5@/6@/b', '/b'],
    ['  https://me:pw@a.example/b', '  https://a.example/b'],
    ['https://me:p/w@a.example/b', 'https://a.example/b'],
    ['https://me:p?w#@a.example/b?token=1', 'https://a.example/b'],
  ])('has no user info: %s', (url, safe) => {
    expect(safeUrl(url)).toBe(safe);
    expect(hasSecrets(url)).toBe(true);
  });

  it.each([
    'https://a.example/photo@2x.jpg',
    '//a.example/b@2x.png',
    'https://a b/c@2x.jpg',
    'me@a.example',
    '',
  ])('keeps an @ that begins no host: %j', (url) => {
    expect(safeUrl(url)).toBe(url);
  });

  it.each([
    ['not a link?token=1', 'not a link'],
    ['ugc/why?.jpg', 'ugc/why?.jpg'],
    ['http://[?key=1', 'http://['],
    ['?X-Amz-Signature=1', ''],
  ])('may be no URL at all: %j', (text, safe) => {
    expect(safeUrl(text)).toBe(safe);
  });

  it('carries no secret itself, is the whole text where that carries none, and never throws', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (url) => {
        expect(hasSecrets(safeUrl(url))).toBe(false);
        expect(safeUrl(url).length).toBeLessThanOrEqual(url.length);
        expect(hasSecrets(url) || safeUrl(url) === url).toBe(true);
        expect(typeof identityUrl(url)).toBe('string');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('links inside words', () => {
  it.each([
    [
      'cannot fetch https://a.example/b?X-Amz-Signature=1 in time',
      'cannot fetch https://a.example/b in time',
    ],
    ['(https://a.example/b?v=1).', '(https://a.example/b).'],
    ['see https://a.example/b.', 'see https://a.example/b.'],
    ['HTTP://a.example?x=1,http://b.example/?y=2', 'HTTP://a.example'],
    ["{'url': 'https://a.example/b?e=1&token=t', 'n': 1}", "{'url': 'https://a.example/b', 'n': 1}"],
    ["https://a.example/b?title=it's&token=t end", 'https://a.example/b end'],
    ['<https://me:pw@a.example/b?v=1>', '<https://a.example/b>'],
    ['打不开https://a.example/猫.jpg?token=t，请重试', '打不开https://a.example/猫.jpg，请重试'],
    ['https://a.example/a b.jpg?e=1&token=t done', 'https://a.example/a b.jpg?e=1 done'],
    ['https://a.example/b#access_token=1', 'https://a.example/b'],
    ['url=https%3A%2F%2Fa.example%2Fb%3Ftoken%3Dt%26v%3D1&n=1', 'url=https%3A%2F%2Fa.example%2Fb'],
    ['what?yes=no and ftp://a/?b=c', 'what?yes=no and ftp://a/?b=c'],
    ['no link', 'no link'],
  ])('lose their query: %s', (text, redacted) => {
    expect(redactLinks(text)).toBe(redacted);
  });

  it.each([
    ['{"url":"https://a.example/b?token=t","n":1}', '{"url":"https://a.example/b","n":1}'],
    ['{"url":"https:\\/\\/a.example\\/b?token=t"}', '{"url":"https:\\/\\/a.example\\/b"}'],
    ['{"url":"https://a.example/b?e\\u003d1\\u0026token\\u003dt"}', '{"url":"https://a.example/b"}'],
    [
      '{"in":"{\\"url\\":\\"https://a.example/b?token=t\\"}"}',
      '{"in":"{\\"url\\":\\"https://a.example/b\\"}"}',
    ],
    ['{"url":"https://\\u7528\\u6237:pw@a.example/b"}', '{"url":"https://a.example/b"}'],
  ])('may stand in JSON: %s', (text, redacted) => {
    expect(redactLinks(text)).toBe(redacted);
    expect(() => JSON.parse(redactLinks(text)) as unknown).not.toThrow();
  });

  it('leave JSON that is read as JSON', () => {
    const word = fc.oneof(
      fc.array(piece).map((all) => all.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(word, fc.array(word)), (value) => {
        const once = JSON.stringify(value);
        const twice = JSON.stringify(once);
        expect(() => JSON.parse(redactLinks(once)) as unknown).not.toThrow();
        expect(() => JSON.parse(redactLinks(twice)) as unknown).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it('show no signature, whatever stands around them', () => {
    const around = fc.array(piece).map((all) => all.join(''));
    const tail = fc.constantFrom('X-Amz-Signature=', 'v=1&token=', 'e=1&token=AK:');
    fc.assert(
      fc.property(around, tail, around, (before, query, after) => {
        const text = `${before} https://a.example/b.mp4?${query}5ec3e7 ${after}`;
        expect(redactLinks(text)).not.toContain('5ec3e7');
      }),
    );
  });

  it('take time in proportion to the text', () => {
    const hostile = ['https://a?', 'https://', '?a=', ':@', 'https%3a%2f%2f', '\\', "'", ')'];
    for (const text of hostile.map((one) => one.repeat(20_000))) {
      const before = performance.now();
      redactLinks(text);
      safeUrl(`https://${text}`);
      expect(performance.now() - before).toBeLessThan(2000);
    }
  });
});

describe('the hash of a link', () => {
  it('is the first 16 bytes of SHA-256 in hex', () => {
    expect(hashLink('')).toBe('e3b0c44298fc1c149afbf4c8996fb924');
    expect(hashLink('abc')).toBe('ba7816bf8f01cfea414140de5dae2223');
  });
});
