/** Keys as listings write them: percent-encoded on request, in dialects that differ about `/`, `+` and spaces. */

/**
 * Undoes the encoding of one listing page's keys.
 *
 * Servers that encode (those that echo `EncodingType`) write a space as `+` (AWS, MinIO) or as `%20` (Ceph, Swift),
 * and some leave a real `+` as it is. One page speaks one dialect, so a page that has `%20` anywhere means its `+`
 * literally. Encoded and plain `/` decode alike.
 *
 * @throws URIError where a key is not UTF-8
 */
export function decodeKeys(keys: readonly string[], encodingType: string | undefined): readonly string[] {
  if (encodingType?.toLowerCase() !== 'url') return keys;
  const isPlusLiteral = keys.some((key) => key.includes('%20'));
  return keys.map((key) => {
    if (!isPlusLiteral && key.includes('+')) return decodeURIComponent(key.replaceAll('+', '%20'));
    return key.includes('%') ? decodeURIComponent(key) : key;
  });
}

/** An entity tag without its quotes, so that it is the same in a listing, a header and a manifest. */
export function plainEtag(etag: string | undefined): string | undefined {
  const plain = etag?.trim().replace(/^W\//, '').replaceAll('"', '');
  return plain === '' ? undefined : plain;
}
