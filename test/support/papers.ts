/** The commands that a guide in `docs/` tells its reader to type. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The lines of its `sh` blocks, in their order. */
export async function readCommands(guide: string): Promise<readonly string[]> {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', guide), 'utf8');
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)];
  return blocks.flatMap((match) => match[1]?.trim().split('\n') ?? []);
}

/** As a shell does, as far as the guides go. */
export function splitWords(line: string): readonly string[] {
  return (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
}
