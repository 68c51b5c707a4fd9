/** Files that hold one map under one key: `accounts:` and `storages:`. */
import { readMap } from './reader.ts';
import { suggest } from '../domain/suggestion.ts';
import { makeProblem, type Trouble } from './trouble.ts';
import type { ConfigFile } from './variable.ts';

/** The names in the map; any other key of the file is a problem. */
export function readMapFile(trouble: Trouble, file: ConfigFile, key: string): readonly string[] {
  const top = readMap(trouble, file, []);
  if (!top) return [];
  for (const other of Object.keys(top)) {
    if (other === key) continue;
    const advice = suggest(other, [key]) || ` Known here: ${key}.`;
    trouble.problems.push(
      makeProblem(file, [other], `unknown key ${JSON.stringify(other)}.${advice}`, 'key'),
    );
  }
  return Object.keys(readMap(trouble, file, [key]) ?? {});
}
