/**
 * The seal of a ledger at rest: checksums of its file, since SQLite keeps none of values. Whoever closes the ledger last
 * writes it, whoever opens the ledger holds the file against it, and who writes first takes it away before. A process that
 * is killed leaves none.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, rmSync } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { exitCodes, Stop } from '../domain/problem.ts';

const pieceBytes = 1024 * 1024;

/** What a file was left with. */
interface Seal {
  readonly bytes: number;
  /** CRC-32 of each piece of the file, in their order. */
  readonly sums: readonly number[];
}

/** Where the seal of a ledger, or of a copy of one, lies. */
export function findSeal(path: string): string {
  return `${path}.seal`;
}

/**
 * How a sealed file differs from what it was left as, in words; nothing where it does not, or is not there. A seal that is
 * missing or was damaged itself says nothing.
 */
export async function findBrokenSeal(path: string): Promise<string | undefined> {
  const seal = readSeal(path);
  if (!seal || !existsSync(path)) return undefined;
  const { bytes, sums } = await sumFile(path);
  const at = seal.sums.findIndex((sum, index) => sum !== sums[index]);
  if (bytes === seal.bytes && at < 0) return undefined;
  // Who has written meanwhile found the file in order, and took the seal away before.
  if (!existsSync(findSeal(path))) return undefined;
  if (bytes !== seal.bytes) return `it was left with ${seal.bytes} bytes, and has ${bytes}`;
  const end = Math.min(bytes, (at + 1) * pieceBytes) - 1;
  return `bytes ${at * pieceBytes} to ${end} are not what they were left as`;
}

/** @throws `Stop` with exit 3 where a ledger is not what it was left as */
export async function requireSeal(path: string): Promise<void> {
  const fault = await findBrokenSeal(path);
  if (fault === undefined) return;
  throw new Stop(
    exitCodes.halted,
    `ledger "${path}": the file is damaged: ${fault}. Put a copy of it back: \`mediasweep ledger restore\` takes the newest backup. If it was changed on purpose, remove "${basename(findSeal(path))}" beside it to go on with what is there.`,
  );
}

/** Seals a file that nobody writes. A ledger is no worse for want of a seal, so trouble is passed over. */
export async function sealFile(path: string): Promise<void> {
  const seal = findSeal(path);
  try {
    const body = JSON.stringify(await sumFile(path));
    await writeFile(seal, `${crc32(body)}\n${body}\n`, { mode: 0o600 });
  } catch {
    await rm(seal, { force: true }).catch(() => undefined);
  }
}

/** Takes the seal away for good: one that a power cut brought back would deny what was written after it. */
export function breakSeal(path: string): void {
  const seal = findSeal(path);
  if (!existsSync(seal)) return;
  rmSync(seal, { force: true });
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function readSeal(path: string): Seal | undefined {
  try {
    const [check, body = ''] = readFileSync(findSeal(path), 'utf8').split('\n', 2);
    return check === String(crc32(body)) ? (JSON.parse(body) as Seal) : undefined;
  } catch {
    return undefined;
  }
}

/** The next piece is read while one is summed. */
async function sumFile(path: string): Promise<Seal> {
  const file = await open(path, 'r');
  try {
    const sums: number[] = [];
    let bytes = 0;
    const buffers = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)];
    const read = (index: number) =>
      file.read(buffers[index % 2] as Buffer, 0, pieceBytes, index * pieceBytes);
    let coming = read(0);
    for (let index = 0; ; index += 1) {
      const { bytesRead, buffer } = await coming;
      if (bytesRead === pieceBytes) coming = read(index + 1);
      if (bytesRead > 0) sums.push(crc32(buffer.subarray(0, bytesRead)));
      bytes += bytesRead;
      if (bytesRead < pieceBytes) return { bytes, sums };
    }
  } finally {
    await file.close();
  }
}
