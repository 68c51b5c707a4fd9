/** What was read from files' headers, by the identity of their content. */
import type { MediaFacts } from '../../domain/item.ts';
import type { Database } from './database.ts';

export function readMedia(db: Database, contentIds: readonly string[]): ReadonlyMap<string, MediaFacts> {
  const media = new Map<string, MediaFacts>();
  for (const contentId of contentIds) {
    const row = db.get<{ facts: string }>('SELECT facts FROM media WHERE content = ?', [contentId]);
    if (row) media.set(contentId, JSON.parse(row.facts) as MediaFacts);
  }
  return media;
}

export function storeMedia(db: Database, contentId: string, media: MediaFacts): void {
  db.run('INSERT INTO media VALUES (?, ?) ON CONFLICT DO UPDATE SET facts = excluded.facts', [
    contentId,
    JSON.stringify(media),
  ]);
}
