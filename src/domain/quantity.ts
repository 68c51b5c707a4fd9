/** Durations, sizes and counts as people write and read them. */

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** Milliseconds of `500ms`, `100s`, `30m`, `24h`, `180d` or `2w`; a unit is required. `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  return parseScaled(text, durationUnits);
}

/**
 * Bytes of `1KB` (1000), `1KiB` (1024), `100MB`, `2 GiB` and so on up to TB and TiB, in any case; a plain whole number
 * is bytes. `undefined` for anything else.
 */
export function parseSize(text: string): number | undefined {
  const lower = text.trim().toLowerCase();
  if (/^\d+\s*b?$/.test(lower)) return parseScaled(lower.replace(/\s*b?$/, 'b'), sizeUnits);
  return /\d\s*b$/.test(lower) ? undefined : parseScaled(lower, sizeUnits);
}

function parseScaled(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d{1,16}(?:\.\d{1,9})?)\s*([a-z]{1,3})$/.exec(text.trim());
  if (!match) return undefined;
  const name = match[2] ?? '';
  const unit = Object.hasOwn(units, name) ? units[name] : undefined;
  if (unit === undefined) return undefined;
  const value = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** For people: `850 ms`, `3.2 s`, `12 min 05 s`, `9 h 04 min`, `3 d 04 h`. Below zero is `0 ms`. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1000) return `${whole} ms`;
  if (whole < 9950) return `${trimZero((whole / 1000).toFixed(1))} s`;
  const seconds = Math.round(whole / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return formatPair(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return formatPair(minutes, 60, 'h', 'min');
  return formatPair(Math.round(minutes / 60), 24, 'd', 'h');
}

function formatPair(count: number, per: number, large: string, small: string): string {
  return `${formatCount(Math.floor(count / per))} ${large} ${String(count % per).padStart(2, '0')} ${small}`;
}

/** For people, in powers of 1000: `512 B`, `1.5 KB`, `20 MB`, `1.2 GB`. */
export function formatSize(bytes: number): string {
  return formatIn(bytes, 1000, ['KB', 'MB', 'GB', 'TB']);
}

/** For people, in powers of 1024, as stores bill traffic: `512 B`, `1.5 KiB`, `186 GiB`. */
export function formatBinarySize(bytes: number): string {
  return formatIn(bytes, 1024, ['KiB', 'MiB', 'GiB', 'TiB']);
}

function formatIn(bytes: number, step: number, names: readonly string[]): string {
  let value = Math.max(0, Math.round(bytes));
  if (value < step) return `${value} B`;
  let name = 'B';
  for (const next of names) {
    if (value < step - 0.5) break;
    value /= step;
    name = next;
  }
  const digits = value < 9.95 ? trimZero(value.toFixed(1)) : formatCount(Math.round(value));
  return `${digits} ${name}`;
}

function trimZero(decimal: string): string {
  return decimal.replace(/\.0$/, '');
}

const counts = new Intl.NumberFormat('en-US');

/** A whole number with separators: `118,204`. */
export function formatCount(count: number): string {
  return counts.format(count);
}
