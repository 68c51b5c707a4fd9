/** Where a storage refuses, tries the region that the server names and the other addressing style, and says what to write. */
import type { ObjectAddress } from '../domain/item.ts';
import type { Storage } from '../domain/settings.ts';
import type {
  Addressing,
  ListRequest,
  StorageExaminer,
  StorageFacts,
  StorageRefusal,
} from '../domain/storage.ts';

export interface FoundAddressing {
  /** What to write, as the end of a message. */
  readonly advice: string;
  /** What the storage told once it was addressed so. */
  readonly facts?: StorageFacts | undefined;
}

export function isRefused(answer: StorageFacts | StorageRefusal): answer is StorageRefusal {
  return 'stop' in answer;
}

/** At most three requests; none where keys or clock are wrong, or the server is lost. */
export async function findAddressing(
  { name, region, pathStyle }: Storage,
  request: ListRequest | ObjectAddress,
  refusal: StorageRefusal,
  storage: StorageExaminer,
): Promise<FoundAddressing> {
  if (refusal.about !== 'other') return { advice: '' };
  const tried = new Set<string>();
  const waiting: Addressing[] = [{ pathStyle: !pathStyle }];
  if (refusal.region !== undefined) waiting.unshift({ region: refusal.region });
  for (let next = waiting.shift(); next !== undefined && tried.size < 3; next = waiting.shift()) {
    const written = writeAddressing(next);
    if (tried.has(written) || next.region === region) continue;
    tried.add(written);
    const answer = await storage.examine(request, next);
    if (!isRefused(answer)) {
      const advice = ` With ${written} it answers: write that under storages.${name} in storages.yaml.`;
      return { advice, facts: answer };
    }
    if (answer.region !== undefined) waiting.push({ ...next, region: answer.region });
  }
  const { endpoint } = refusal;
  return { advice: endpoint === undefined ? '' : ` The server names the endpoint "${endpoint}": try that.` };
}

function writeAddressing({ region, pathStyle }: Addressing): string {
  const parts = [
    ...(region === undefined ? [] : [`region: ${region}`]),
    ...(pathStyle === undefined ? [] : [`pathStyle: ${pathStyle}`]),
  ];
  return `"${parts.join(', ')}"`;
}
