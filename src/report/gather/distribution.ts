/** Scores by label and measures by name over all findings of a run, for the charts of the page. */
import { scoreOf } from '../../domain/policy.ts';
import type { TaskRow } from '../../domain/ledger.ts';
import type { ReportService } from '../request.ts';
import { type Histogram, makeMeasureHistogram, makeScoreHistogram } from './histogram.ts';

export interface Distribution {
  readonly service: string;
  readonly op?: string | undefined;
  /** The label, or the metric's name. */
  readonly name: string;
  readonly isMetric: boolean;
  readonly histogram: Histogram;
}

export interface Distributions {
  readonly add: (task: TaskRow) => void;
  /** Metrics first, then labels by count; services in the pipeline's order. */
  readonly list: () => readonly Distribution[];
  /** Labels of one service and op that came after the first 200 different ones; they have no chart of their own. */
  readonly unlisted: () => number;
}

/** Different labels that are kept for each service; people's names may be countless. */
const mostLabels = 200;

export function makeDistributions(services: readonly ReportService[]): Distributions {
  const metrics = new Map<string, Map<string, Distribution>>();
  const labels = new Map<string, Map<string, Distribution>>();
  let unlisted = 0;

  for (const { name, columns } of services) {
    labels.set(name, new Map());
    const made = columns.metrics.map((metric) => {
      const histogram = makeMeasureHistogram();
      return [metric, { service: name, name: metric, isMetric: true, histogram }] as const;
    });
    metrics.set(name, new Map(made));
  }

  const addLabel = (ofService: Map<string, Distribution>, found: Omit<Distribution, 'histogram'>) => {
    const key = `${found.op?.length ?? '-'} ${found.op ?? ''}${found.name}`;
    const known = ofService.get(key);
    if (known) return known.histogram;
    if (ofService.size >= mostLabels) return undefined;
    const made = { ...found, histogram: makeScoreHistogram() };
    ofService.set(key, made);
    return made.histogram;
  };

  return {
    add({ service, finding }) {
      const ofService = labels.get(service);
      if (finding === undefined || ofService === undefined) return;
      for (const [name, { histogram }] of metrics.get(service) ?? []) {
        const value = Object.hasOwn(finding.metrics, name) ? finding.metrics[name] : undefined;
        if (typeof value === 'number') histogram.add(value);
      }
      for (const label of finding.labels) {
        const histogram = addLabel(ofService, {
          service,
          op: label.op,
          name: label.label,
          isMetric: false,
        });
        if (histogram) histogram.add(scoreOf(label));
        else unlisted += 1;
      }
    },
    list: () =>
      services.flatMap(({ name }) => [
        ...[...(metrics.get(name)?.values() ?? [])].filter(({ histogram }) => histogram.count() > 0),
        ...[...(labels.get(name)?.values() ?? [])].sort((a, b) => b.histogram.count() - a.histogram.count()),
      ]),
    unlisted: () => unlisted,
  };
}
