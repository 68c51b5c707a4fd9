/** Reads the findings of a run out of its archived replies again: what the program has learnt since costs nothing. */
import type { Finding } from '../domain/finding.ts';
import type { Item } from '../domain/item.ts';
import type { ArchivedAnswer, Ledger } from '../domain/ledger.ts';
import { hashLink, redactLinks } from '../domain/link.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { JobElement } from '../domain/service.ts';
import type { ServiceUse } from '../domain/settings.ts';

export interface Derived {
  readonly answers: number;
  /** Whose finding is another one now. */
  readonly changed: number;
  /** Whose archived reply is missing, cut or read as something else than an answer: their findings stay. */
  readonly kept: number;
}

export interface DeriveTools {
  readonly ledger: Pick<Ledger, 'readArchived' | 'replaceFindings'>;
  readonly run: string;
  readonly services: readonly ServiceUse[];
  /** The link under which an item of a batch was sent; its query does not matter. */
  readonly link: (item: Item) => Promise<string | undefined>;
}

const pageSize = 500;

/** Usage, charges and artifacts stay as they are: they belong to what was paid for, not to how it is read. */
export async function deriveAgain({ ledger, run, services, link }: DeriveTools): Promise<Derived> {
  const uses = new Map(services.map((use) => [use.name, use]));
  let [answers, changed, kept] = [0, 0, 0];
  for (let after = 0; ; ) {
    const page = await ledger.readArchived(run, after, pageSize);
    const last = page.at(-1);
    if (!last) return { answers, changed, kept };
    after = last.task;
    const findings = new Map<number, Finding>();
    for (const answer of page) {
      answers += 1;
      const finding = await derive(answer, uses.get(answer.service), link);
      if (finding === undefined) kept += 1;
      else if (JSON.stringify(finding) !== JSON.stringify(answer.finding)) findings.set(answer.id, finding);
    }
    changed += findings.size;
    if (findings.size > 0) await ledger.replaceFindings(findings);
  }
}

async function derive(
  answer: ArchivedAnswer,
  use: ServiceUse | undefined,
  link: DeriveTools['link'],
): Promise<Finding | undefined> {
  if (!use || !answer.reply) return undefined;
  const outcome = await readOutcome(answer, use, link);
  if (outcome?.is !== 'answered') return undefined;
  const { artifact } = answer.finding;
  return artifact === undefined ? outcome.finding : { ...outcome.finding, artifact };
}

async function readOutcome(
  { reply: archived, job, isBatch, element, elements }: ArchivedAnswer,
  { service, options, model, delivery }: ServiceUse,
  link: DeriveTools['link'],
): Promise<Outcome | undefined> {
  if (!archived) return undefined;
  const reply = { ...archived, headers: {} };
  if (job !== undefined && service.readJob) {
    const known = isBatch
      ? await placeElements(elements, link)
      : elements.map((one) => ({ ...one, linkHash: '' }));
    return known && service.readJob(reply, { job, elements: known, options, isBatch })[element];
  }
  return service.readSubmission(reply, { elements, options, model, delivery, isBatch })[element];
}

/**
 * Archived links have lost their queries, so elements are told apart by what is left of theirs. Where that is the same
 * for two, or unknown, the reply cannot be trusted to say whose result is whose.
 */
async function placeElements(
  elements: ArchivedAnswer['elements'],
  link: DeriveTools['link'],
): Promise<readonly JobElement[] | undefined> {
  const links = await Promise.all(elements.map(({ item }) => link(item)));
  const hashes = links.map((one) => (one === undefined ? undefined : hashLink(redactLinks(one))));
  if (hashes.includes(undefined) || new Set(hashes).size < hashes.length) return undefined;
  // No place fits: only the link decides.
  const position = Number.MAX_SAFE_INTEGER;
  return elements.map(({ ref }, index) => ({ ref, position, linkHash: hashes[index] ?? '' }));
}
