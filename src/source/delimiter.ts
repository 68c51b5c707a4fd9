/** What probably stands between the columns of a file whose header is one column by the delimiter that was said. */
export function findDelimiter(names: readonly string[], delimiter: string): string | undefined {
  const [only = ''] = names;
  if (names.length !== 1) return undefined;
  return [';', '\t', '|', ','].find((one) => one !== delimiter && only.includes(one));
}
