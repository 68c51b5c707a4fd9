/** The services of a pipeline as reports need them. */
import type { Pipeline } from '../domain/settings.ts';
import type { ReportService } from './request.ts';

export function describeServices(pipeline: Pick<Pipeline, 'services'>): readonly ReportService[] {
  return pipeline.services.map(({ name, service, account, options }) => ({
    name,
    use: service.name,
    vendor: account.vendor.name,
    account: account.name,
    columns: service.columns(options),
  }));
}

/** Lines for "What was run": each service with its account and limits. */
export function describeRun(
  pipeline: Pick<Pipeline, 'services'>,
  version: string,
): readonly { readonly name: string; readonly value: string }[] {
  return [
    { name: 'mediasweep', value: version },
    ...pipeline.services.map(({ name, account, delivery, limits }) => {
      const { concurrency, perSecond, maxOpenJobs } = { ...account.limits, ...limits };
      const value = `account ${account.name}, ${delivery}, ${concurrency} calls at once, ${perSecond} a second, ${maxOpenJobs} open jobs`;
      return { name, value };
    }),
  ];
}
