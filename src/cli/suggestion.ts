/** The name that a misspelt one was probably meant to be. */

/** ` Did you mean "x"?`, or nothing where no candidate is near. */
export function suggestName(word: string, candidates: readonly string[]): string {
  const named = candidates.find((candidate) => candidate.endsWith(`/${word}`));
  const closest = named ?? findClosest(word, candidates);
  return closest === undefined ? '' : ` Did you mean "${closest}"?`;
}

function findClosest(word: string, candidates: readonly string[]): string | undefined {
  const most = Math.max(2, Math.floor(word.length / 3));
  const near = candidates
    .map((candidate) => ({ candidate, edits: countEdits(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= most && edits < candidate.length)
    .toSorted((one, other) => one.edits - other.edits);
  return near[0]?.candidate;
}

/** Insertions, deletions and replacements (Levenshtein). */
function countEdits(from: string, to: string): number {
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replaced));
    }
    last = current;
  }
  return last[to.length] ?? 0;
}
