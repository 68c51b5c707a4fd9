/** The licences of what is installed beside the program, as the lockfile names them. */

export interface LockedPackage {
  readonly version?: string;
  readonly license?: unknown;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly peer?: boolean;
  readonly hasInstallScript?: boolean;
}

/** By place, `node_modules/...`; without the program itself. */
export function readLock(text: string): ReadonlyMap<string, LockedPackage> {
  const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, LockedPackage>> };
  return new Map(Object.entries(packages).filter(([place]) => place !== ''));
}

/** What users get: not what only builds and tests need. */
export function isShipped({ dev, devOptional }: LockedPackage): boolean {
  return dev !== true && devOptional !== true;
}

export function nameLicence({ license }: LockedPackage): string {
  return typeof license === 'string' ? license : 'not named';
}

export function renderLicences(lock: string): string {
  const shipped = [...readLock(lock)].filter(([, one]) => isShipped(one));
  const counts = new Map<string, number>();
  for (const [, one] of shipped) counts.set(nameLicence(one), (counts.get(nameLicence(one)) ?? 0) + 1);
  const totals = [...counts].sort(([, one], [, other]) => other - one);
  return [
    '# Licences',
    '',
    'Mediasweep itself is under Apache-2.0. These packages are installed beside it, as the lockfile names them; what only',
    'builds and tests it is left out. Generated: `npx tsx scripts/write-licences.ts`.',
    '',
    ...totals.map(([licence, count]) => `- ${licence}: ${count}`),
    '',
    '| package | version | licence |',
    '|---|---|---|',
    ...shipped.map(
      ([place, one]) =>
        `| ${place.replace(/^.*node_modules\//, '')} | ${one.version ?? ''} | ${nameLicence(one)} |`,
    ),
    '',
  ].join('\n');
}
