/** The text of a new pipeline, commented for whoever opens it next; and the shipped config, fitted to the answers. */
import { stringify } from 'yaml';
import type { DraftAnswers } from '../domain/draft.ts';
import type { PriceBook } from '../domain/pricing.ts';
import { type Catalogue, findService, type Service } from '../domain/service.ts';

/** Units that a run may use of a SKU whose price nobody knows, since money cannot bound it. */
const unpricedUnits = 10_000;

export interface Drafting {
  readonly answers: DraftAnswers;
  readonly catalogue: Catalogue;
  readonly prices: PriceBook;
  /** Path of a manifest relative to the pipeline's file. */
  readonly manifest: string;
}

/** `pipelines/NAME.yaml`. */
export function draftPipeline({ answers, catalogue, prices, manifest }: Drafting): string {
  const { name, source, services, cap, timezone } = answers;
  const found = services.flatMap((one) => findService(catalogue, one)?.service ?? []);
  return `# mediasweep check pipelines/${name}.yaml       finds every mistake before money is spent
# mediasweep estimate pipelines/${name}.yaml    what a run would do and cost
# mediasweep run pipelines/${name}.yaml         runs it; run again at any time, what was answered is not paid for twice
# From cron:  0 2 * * *  mediasweep run /path/to/pipelines/${name}.yaml --quiet

source:
${draftSource(answers, manifest)}
# Which of the media. Everything, if left out.
# select: { include: ["**/*.{jpg,jpeg,png,mp4,mov}"], exclude: ["**/thumbs/**"], maxSize: 100MB, modifiedWithin: 2d }

# How vendors fetch the media: by a signed link, made when a call leaves.${source.form === 'bucket' ? '' : ' Rows with a url use it as it is.'}
access: { mode: presigned, expiresIn: 24h }
# access: { mode: public, baseUrl: https://cdn.example/ }

# What is asked about each item. mediasweep catalogue SERVICE lists the options and prices of one.
services:
${found.map(draftService).join('\n')}

# What counts as a problem: config/policies/strict.yaml. What none of its rules matches passes.
policy: strict

reports: { formats: [csv, jsonl, html], timezone: ${JSON.stringify(timezone)} }

# No call leaves that would pass one of these: the run then exits 4, and goes on once the cap is raised.
${draftCaps(cap, found, prices)}
# Unchanged, renamed or copied media is not paid for again within this time.
reuse: { by: content, maxAge: 180d }

# Whom to tell of failures, of newly flagged media, and of a cap that is nearly used up.
# notify: [{ webhook: "\${HOOK_URL}", format: dingtalk, secret: "\${HOOK_SECRET}" }]
`;
}

function draftSource({ source, endpoint }: DraftAnswers, manifest: string): string {
  if (source.form === 'bucket') {
    const storage = endpoint === undefined ? 'aws' : 'main';
    const prefix = source.prefix === '' ? '' : `, prefix: ${JSON.stringify(source.prefix)}`;
    return `  # Storages stand in config/storages.yaml; the prefix may be a list.
  bucket: { storage: ${storage}, bucket: ${JSON.stringify(source.bucket)}${prefix} }
`;
  }
  return `  # Columns: id bucket key version url etag size last_modified content_type kind title text images video_url duration.
  ${source.form}: { path: ${JSON.stringify(manifest)} } # relative to this file
`;
}

function draftService(service: Service): string {
  const options = service.exampleOptions;
  const hasOptions = typeof options === 'object' && options !== null && Object.keys(options).length > 0;
  const entry = { use: service.name, ...(hasOptions ? { options } : {}) };
  const [first = '', ...rest] = stringify([entry], { lineWidth: 0 }).trimEnd().split('\n');
  return [`  ${first} # ${service.about}`, ...rest.map((line) => `  ${line}`)].join('\n');
}

/** A cap on money bounds nothing that has no price: such SKUs get one of their own. */
function draftCaps(cap: string | undefined, services: readonly Service[], { skus }: PriceBook): string {
  if (cap === undefined) return '# caps: { run: 100 CNY, month: 2000 CNY }\n';
  const used = services.flatMap((service) => service.skus(service.options.parse(service.exampleOptions)));
  const unpriced = [...new Set(used)].filter((sku) => skus.get(sku)?.tiers === undefined);
  const units = unpriced.map((sku) => `${sku}: ${unpricedUnits}`);
  const note =
    units.length === 0
      ? ''
      : '# Units without a price in config/prices/ are bounded by their number, since money cannot bound them.\n';
  const own = units.length === 0 ? '' : `, units: { ${units.join(', ')} }`;
  return `${note}caps: { run: ${cap}${own} }\n`;
}

/** A shipped file for a project elsewhere: its schema does not lie beside it. */
export function fitConfig(text: string, { endpoint, region }: DraftAnswers): string {
  return text
    .replace(/^# yaml-language-server:[^\n]*\n/, '')
    .replace('${S3_ENDPOINT:-https://s3.example}', () =>
      endpoint === undefined ? '${S3_ENDPOINT:-https://s3.example}' : JSON.stringify(endpoint),
    )
    .replaceAll(/\$\{(S3|AWS)_REGION:-us-east-1\}/g, (variable) =>
      region === undefined ? variable : JSON.stringify(region),
    );
}
