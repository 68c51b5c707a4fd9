/**
 * What the page's script works on: settings as JSON, and the flagged items, compressed, since there may be tens of
 * megabytes of them. Data blocks are never run, whatever they hold.
 */
import { gzipSync } from 'node:zlib';
import type { TextSink } from '../../domain/output.ts';
import type { PageContent } from '../gather/gathering.ts';
import { catalogues, type Say } from './language/say.ts';
import { embedJson } from './markup.ts';
import { listMeanings } from './meaning.ts';

/** Characters of JSON that are compressed together; bounds how long the program is busy with nothing else. */
const chunkCharacters = 1_000_000;

export async function writeData(sink: TextSink, content: PageContent, say: Say): Promise<void> {
  const settings = embedJson(JSON.stringify(makeSettings(content, say)));
  await sink.write(`<script type="application/json" id="data">${settings}</script>\n`);
  let chunk: string[] = [];
  let characters = 0;
  const flush = async () => {
    if (chunk.length === 0) return;
    const packed = gzipSync(`[${chunk.join(',')}]`).toString('base64');
    [chunk, characters] = [[], 0];
    await sink.write(`<script type="text/plain" class="packed">${packed}</script>\n`);
  };
  for (const item of content.gathering.flagged.list()) {
    chunk.push(item);
    characters += item.length;
    if (characters > chunkCharacters) await flush();
  }
  await flush();
}

function makeSettings({ request, gathering, run }: PageContent, say: Say) {
  const rules = request.policy.rules.map(({ reason, verdict, score, is }) => ({
    reason,
    verdict,
    score,
    is,
  }));
  const scales = gathering.distributions
    .list()
    .filter((one) => one.isMetric)
    .map((one) => {
      const bars = one.histogram.bars();
      return [one.service, one.name, bars[0]?.from ?? 0, bars.at(-1)?.to ?? 0];
    });
  return {
    run: run.id,
    isGuarded: request.reports.excel,
    rules,
    scales,
    timezone: request.reports.timezone,
    meanings: listMeanings(request.services, say.language),
    depth: gathering.places.depth(),
    texts: pickTexts(say),
  };
}

/** The messages that the script speaks. */
function pickTexts(say: Say): Readonly<Record<string, string>> {
  const isSpoken = (key: string) => /^(?:list|status|verdict|kind|word)\./.test(key);
  const catalogue = catalogues[say.language];
  return Object.fromEntries(Object.entries<string>(catalogue).filter(([key]) => isSpoken(key)));
}
