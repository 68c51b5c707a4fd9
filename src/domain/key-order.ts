/** The order of keys: by their UTF-8 bytes, as every S3 listing sorts them. */

/**
 * Compares by UTF-8 bytes without encoding: JavaScript's own order, which compares UTF-16 units, differs only where a
 * surrogate meets one of the characters from U+E000 to U+FFFF.
 */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (a !== b) return rankUnit(a) - rankUnit(b);
  }
  return left.length - right.length;
}

/** How many characters two keys, given as characters, have in common at their beginning. */
export function commonLength(left: readonly string[], right: readonly string[]): number {
  const length = Math.min(left.length, right.length);
  let common = 0;
  while (common < length && left[common] === right[common]) common += 1;
  return common;
}

function rankUnit(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
