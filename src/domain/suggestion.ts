/** What a misspelt word was probably meant to be. */

/**
 * ` Did you mean "x"?` with the candidate that the word is the last part of (`video-censor` of `qiniu/video-censor`), else
 * with the closest one, or nothing where none is near.
 */
export function suggest(word: string, candidates: Iterable<string>): string {
  const all = [...candidates];
  const closest = all.find((candidate) => candidate.endsWith(`/${word}`)) ?? findClosest(word, all);
  return closest === undefined ? '' : ` Did you mean ${JSON.stringify(closest)}?`;
}

/** The candidate with the fewest edits, at most a third of the word's length and at least two; case counts as no edit. */
export function findClosest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    // What differs by more letters than that in length alone is not gone through.
    if (Math.abs(word.length - candidate.length) >= fewest) continue;
    const edits = countEdits(word.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest && edits < Math.max(word.length, candidate.length)) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function countEdits(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      let edits = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwap =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) edits = Math.min(edits, (before[column - 2] ?? 0) + 1);
      current.push(edits);
    }
    before = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
