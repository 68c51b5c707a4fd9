/** The services of a pipeline as reports need them. */
import type { Pipeline } from '../domain/settings.ts';
import type { ReportService } from './request.ts';

export function describeServices(pipeline: Pick<Pipeline, 'services'>): readonly ReportService[] {
  return pipeline.services.map(({ name, service, account, options, delivery, limits }) => ({
    name,
    use: service.name,
    vendor: account.vendor.name,
    account: account.name,
    columns: service.columns(options),
    delivery,
    limits: { ...account.limits, ...limits },
  }));
}
