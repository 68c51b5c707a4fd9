/** Reads the first rows of a manifest, and what its storage says of it. */
import { basename } from 'node:path';
import type { Diagnosis } from '../domain/diagnosis.ts';
import { type Item, lineInFile } from '../domain/item.ts';
import { formatCount } from '../domain/quantity.ts';
import type { BucketSource, SourceSettings } from '../domain/settings.ts';
import type { DoctorTools } from './tools.ts';
import { describeFailure } from './failure.ts';

export type ManifestSettings = Exclude<SourceSettings, BucketSource>;

export interface ManifestDiagnosis {
  readonly diagnoses: readonly Diagnosis[];
  /** The first selected row that a link can be tried with. */
  readonly item?: Item | undefined;
}

/** One page is read. Standard input can be read only once, so that it is left alone. */
export async function examineManifest(
  source: ManifestSettings,
  { glance }: Pick<DoctorTools, 'glance'>,
): Promise<ManifestDiagnosis> {
  const path = source.form === 'inventory' ? source.manifest : source.path;
  if (path === '-') return { diagnoses: [] };
  const subject = `manifest ${path.startsWith('s3://') ? path : basename(path)}`;
  try {
    for await (const { items, unselected, broken, isLast } of glance()) {
      const rows = items.length + unselected + broken.length;
      const looked = isLast ? `${formatCount(rows)} rows` : `the first ${formatCount(rows)} rows`;
      const item = items.find(({ kind, url, object, key }) => kind !== 'post' && (url ?? object ?? key));
      const [first] = broken;
      if (first !== undefined) {
        const message = `${formatCount(broken.length)} of ${looked} cannot be used, the first in line ${lineInFile(first)}: ${first.message}`;
        return { diagnoses: [{ level: 'warn', subject, message }], item };
      }
      const isEmpty = items.length === 0;
      const message = isEmpty
        ? `none of ${looked} is selected. Check select and the manifest.`
        : `${looked} read, ${formatCount(items.length)} of them selected`;
      return { diagnoses: [{ level: isEmpty ? 'warn' : 'ok', subject, message }], item };
    }
    return { diagnoses: [] };
  } catch (error) {
    return { diagnoses: [describeFailure(subject, error)] };
  }
}
