/** What was read from files' headers, by the identity of their content. */
import type { MediaFacts } from '../../domain/item.ts';
import type { Database, WritingDatabase } from './database.ts';
import { readStored } from './stored.ts';

export async function readMedia(
  db: Database,
  contentIds: readonly string[],
): Promise<ReadonlyMap<string, MediaFacts>> {
  const media = new Map<string, MediaFacts>();
  const found = await db.each<{ facts: string }>(
    'SELECT facts FROM media WHERE content = ?',
    contentIds.map((contentId) => [contentId]),
  );
  for (const [index, [row]] of found.entries()) {
    if (row) media.set(contentIds[index] ?? '', readStored(row.facts) as MediaFacts);
  }
  return media;
}

export function storeMedia(db: WritingDatabase, contentId: string, media: MediaFacts): void {
  db.run('INSERT INTO media VALUES (?, ?) ON CONFLICT (content) DO UPDATE SET facts = excluded.facts', [
    contentId,
    JSON.stringify(media),
  ]);
}
