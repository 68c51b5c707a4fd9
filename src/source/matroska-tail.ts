/** How long a recording lasts that nobody told of: its last cluster says when it ends. RFC 9559 (2024), 5.1.3. */
import { type Element, readElement, readElements, readLength, readUnsigned } from './ebml.ts';
import type { HeaderReader } from './header-reader.ts';
import { findNumber, ids } from './matroska-element.ts';

const clusterId = Buffer.from('1f43b675', 'hex');

/** How much of the file's end is looked through, step by step, for its last cluster. */
const tailSteps = [64 * 1024, 256 * 1024, 576 * 1024];

/** From the beginning of the first cluster to the end of the last, in units of the file; 0 where that is not found. */
export async function measureClusters(
  reader: HeaderReader,
  size: number,
  firstCluster: number | undefined,
): Promise<number> {
  if (firstCluster === undefined) return 0;
  const begin = readTimestamp(await reader.read(firstCluster, Math.min(firstCluster + 64, size)), 0) ?? 0;
  for (const step of tailSteps) {
    const from = Math.max(firstCluster - clusterId.length - 8, size - step, 0);
    const bytes = Buffer.from(await reader.read(from, size));
    for (
      let at = bytes.lastIndexOf(clusterId);
      at >= 0;
      at = at === 0 ? -1 : bytes.lastIndexOf(clusterId, at - 1)
    ) {
      const end = measureCluster(bytes, at);
      if (end !== undefined) return end - begin;
    }
    if (from > size - step) return 0;
  }
  return 0;
}

/** When its last block ends; `undefined` where the bytes only looked like a cluster. */
function measureCluster(bytes: Uint8Array, at: number): number | undefined {
  const cluster = readElement(bytes, at);
  const base = cluster && readTimestamp(bytes, cluster.start);
  if (cluster === undefined || base === undefined) return undefined;
  let last: number | undefined;
  for (const element of readElements(bytes, cluster.start, cluster.end)) {
    const end =
      element.id === ids.simpleBlock
        ? readBlockTime(bytes, element)
        : element.id === ids.blockGroup
          ? readGroupEnd(bytes, element)
          : undefined;
    if (end !== undefined) last = Math.max(last ?? end, end);
  }
  return base + (last ?? 0);
}

/** A cluster's own time, which stands among its first children. */
function readTimestamp(bytes: Uint8Array, start: number): number | undefined {
  let count = 0;
  for (const element of readElements(bytes, start)) {
    if (element.id === ids.timestamp) return readUnsigned(bytes, element);
    count += 1;
    if (count > 3) return undefined;
  }
  return undefined;
}

function readGroupEnd(bytes: Uint8Array, group: Element): number | undefined {
  const elements = [...readElements(bytes, group.start, group.end)];
  const block = elements.find(({ id }) => id === ids.block);
  const time = block && readBlockTime(bytes, block);
  return time === undefined ? undefined : time + findNumber({ bytes, elements }, ids.blockDuration);
}

/** Behind the number of its track, a block's time from its cluster's on, signed. */
function readBlockTime(bytes: Uint8Array, block: Element): number | undefined {
  const track = readLength(bytes, block.start);
  const at = block.start + (track?.bytes ?? 0);
  if (track === undefined || at + 2 > bytes.length) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset + at, 2).getInt16(0);
}
