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
  const readItem = ([key, bucket, id, kind, size, lengthMs, verdict, status, reasons, hits, moreHits, link, change, decision, blocks, segments]) => ({
    key, bucket: bucket || undefined, id: id || (bucket ? bucket + '/' + key : key), kind: kind || undefined,
    size: size ?? undefined, lengthMs: lengthMs ?? undefined, verdict, status, reasons, hits: hits.map(readHit), moreHits,
    link: link || undefined, change: change || undefined, decision: decision || undefined, blocks: blocks ?? [], segments: segments ?? blocks?.length ?? 0,
  });
  const unpackItems = async () => {
    const packed = [...document.querySelectorAll('script.packed')];
    return (await Promise.all(packed.map(unpack))).flat().map(readItem);
  };

  const pathOf = (item) => (item.bucket ? item.bucket + '/' : '') + item.key;
  /** The folders that an item lies in, down to the depth at which the library first divides. */
  const foldersOf = (item) => {
    const path = pathOf(item);
    const scheme = /^https?:\/\//i.exec(path);
    const folders = [];
    let end = scheme ? scheme[0].length : 0;
    while (folders.length < settings.depth) {
      end = path.indexOf('/', end) + 1;
      if (end === 0) break;
      folders.push(path.slice(0, end));
    }
    return folders;
  };
`;
