/** What labels that are mere codes stand for, such as the digits of a moderation service. */
import type { Language } from '../../domain/settings.ts';
import type { ReportService } from '../request.ts';

/** By op and label, as in `pulp 0`, or by label alone where a service has no ops. */
export function listMeanings(
  services: readonly ReportService[],
  language: Language,
): Readonly<Record<string, string>> {
  const entries = services.flatMap(({ columns }) =>
    columns.tops.flatMap(({ op, meanings = {} }) =>
      Object.entries(meanings).map(([label, words]) => [nameLabel(op, label), words[language]] as const),
    ),
  );
  return Object.fromEntries(entries);
}

export function nameLabel(op: string | undefined, label: string): string {
  return op === undefined ? label : `${op} ${label}`;
}
