/** Percent-encoding as AWS signs it, and queries as lists of names and values. */

/** Every byte but `A-Z a-z 0-9 - . _ ~` as `%XX`, with `/` kept where `keepsSlash` is true. */
export function encodeUri(text: string, keepsSlash = false): string {
  const encoded = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return keepsSlash ? encoded.replaceAll('%2F', '/') : encoded;
}

/** `undefined` where a `%` is not followed by two hex digits or the bytes are no UTF-8. */
export function decodeUri(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export type QueryPair = readonly [name: string, value: string];

/** Decoded names and values in their order, `+` read as a space; `undefined` where one cannot be decoded. */
export function readQuery(query: string): readonly QueryPair[] | undefined {
  const pairs: QueryPair[] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const cut = part.indexOf('=');
    const name = decodeUri((cut < 0 ? part : part.slice(0, cut)).replaceAll('+', ' '));
    const value = decodeUri(cut < 0 ? '' : part.slice(cut + 1).replaceAll('+', ' '));
    if (name === undefined || value === undefined) return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}
