/** A worker in Prometheus' text format. */

/** Each metric with its type and help; `docs/reference/metrics.md` is made of this. */
export const workerMetricHelps = {
  mediasweep_worker_info: ['gauge', 'Always 1; process and version are labels.'],
  mediasweep_worker_ready: ['gauge', '1 where it takes shards: not draining, Redis and ledger in reach.'],
  mediasweep_worker_shards: ['gauge', 'Shards that it carries out at the moment.'],
  mediasweep_worker_shards_total: ['counter', 'Shards that it left, done or given back.'],
  mediasweep_worker_tasks_total: ['counter', 'Tasks that it sent, by what became of them.'],
} as const;

export interface WorkerFigures {
  readonly version: string;
  readonly process: string;
  readonly isReady: boolean;
  readonly shards: { readonly underway: number; readonly done: number; readonly failed: number };
  readonly counters: {
    readonly asked: number;
    readonly answered: number;
    readonly failed: number;
    readonly held: number;
    readonly repeated: number;
    readonly overCap: number;
  };
}

export function renderWorkerMetrics({ version, process, isReady, shards, counters }: WorkerFigures): string {
  const { asked, answered, failed, held, repeated, overCap } = counters;
  const tasks = { asked, answered, failed, held, repeated, over_cap: overCap };
  const samples: Readonly<Record<keyof typeof workerMetricHelps, readonly string[]>> = {
    mediasweep_worker_info: [`{process="${process}",version="${version}"} 1`],
    mediasweep_worker_ready: [` ${Number(isReady)}`],
    mediasweep_worker_shards: [` ${shards.underway}`],
    mediasweep_worker_shards_total: [`{end="done"} ${shards.done}`, `{end="again"} ${shards.failed}`],
    mediasweep_worker_tasks_total: Object.entries(tasks).map(([what, count]) => `{what="${what}"} ${count}`),
  };
  return Object.entries(workerMetricHelps)
    .flatMap(([name, [type, help]]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples[name as keyof typeof workerMetricHelps].map((sample) => `${name}${sample}`),
    ])
    .join('\n');
}
