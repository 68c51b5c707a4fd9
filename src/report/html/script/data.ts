/** Part of the page's script: unpacks the flagged items. */

export const data = String.raw`
  const unpack = async (block) => {
    const bytes = Uint8Array.from(atob(block.textContent), (one) => one.charCodeAt(0));
    block.remove();
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return JSON.parse(await new Response(stream).text());
  };
  const readHit = ([rule, service, op, name, isMetric, value, beginMs]) =>
    ({ rule: settings.rules[rule], service, op, name, isMetric: isMetric === 1, value, beginMs });
  const readItem = ([key, bucket, id, kind, size, lengthMs, verdict, status, reasons, hits, moreHits, link, change, decision, blocks]) => ({
    key, bucket: bucket || undefined, id: id || (bucket ? bucket + '/' + key : key), kind: kind || undefined,
    size: size ?? undefined, lengthMs: lengthMs ?? undefined, verdict, status, reasons, hits: hits.map(readHit), moreHits,
    link: link || undefined, change: change || undefined, decision: decision || undefined, blocks: blocks ?? [],
  });
  const unpackItems = async () => {
    const packed = [...document.querySelectorAll('script.packed')];
    return (await Promise.all(packed.map(unpack))).flat().map(readItem);
  };

  /** The first folders of an item's path, as the table of verdicts by folder cuts them. */
  const placeOf = (item) => {
    const path = (item.bucket ? item.bucket + '/' : '') + item.key;
    const scheme = /^https?:\/\//i.exec(path);
    const host = scheme ? scheme[0].length : 0;
    let end = 0;
    for (let found = 0; found < settings.depth; found += 1) {
      const next = path.indexOf('/', Math.max(end, host));
      if (next < 0) break;
      end = next + 1;
    }
    return path.slice(0, end);
  };
`;
