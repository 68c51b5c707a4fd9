/** `when:` of services: conditions on the answers of others, read once all of them are known. */
import type { Catalogue } from '../domain/service.ts';
import { type Path, valueAt } from './document.ts';
import { readCondition } from './policy.ts';
import { readFields } from './reader.ts';
import type { ReadService } from './services.ts';
import { conditionShape } from './shape/policy.ts';
import { reportProblem, reportWarning, type Trouble } from './trouble.ts';
import { type ConfigFile, quoteAt } from './variable.ts';

/** The services with their conditions; `services` holds one for each entry of the file, in its order. */
export function readCascades(
  trouble: Trouble,
  file: ConfigFile,
  services: readonly ReadService[],
  catalogue: Catalogue,
): readonly ReadService[] {
  const awaited = new Map<string, string>();
  const read = services.map((one): ReadService => {
    const path = [...one.path, 'when'];
    if (valueAt(file.data, path) === undefined) return one;
    const written = readFields(trouble, file, path, conditionShape);
    const reading = { catalogue, services };
    const when =
      written && readCondition(trouble, file, path, written, reading, { isShared: false, what: 'condition' });
    if (written?.service !== undefined) awaited.set(one.name, written.service);
    if (when) warnApart(trouble, file, path, one, services);
    return when && one.use ? { ...one, use: { ...one.use, when } } : one;
  });
  checkCircles(trouble, file, services, awaited);
  return read;
}

/** What never takes the same item never gives the other an answer. */
function warnApart(
  trouble: Trouble,
  file: ConfigFile,
  path: Path,
  { name, service }: ReadService,
  services: readonly ReadService[],
): void {
  const place = [...path, 'service'];
  const other = services.find((one) => one.name === valueAt(file.data, place));
  if (!service || !other?.service || service.kinds.some((kind) => other.service?.kinds.includes(kind)))
    return;
  const takes = (kinds: readonly string[]) => kinds.map((kind) => `${kind}s`).join(' and ');
  const both = `${name} takes ${takes(service.kinds)}, ${other.name} takes ${takes(other.service.kinds)}`;
  const message = `${both}: no item has an answer to go by, so that ${name} is always skipped. Name a service that takes the same kind.`;
  reportWarning(trouble, file, place, message);
}

function checkCircles(
  trouble: Trouble,
  file: ConfigFile,
  services: readonly ReadService[],
  awaited: ReadonlyMap<string, string>,
): void {
  for (const { name, path } of services) {
    const chain = [name];
    for (let next = awaited.get(name); next !== undefined; next = awaited.get(next)) {
      chain.push(next);
      if (next === name) {
        const place = [...path, 'when', 'service'];
        const [first, ...others] = chain.map((one) => JSON.stringify(one));
        const words = `${first} waits for ${others.join(', which waits for ')}`;
        const expected = 'expected a service that comes to an answer without this one';
        reportProblem(
          trouble,
          file,
          place,
          `${expected}, found ${quoteAt(file, place)}: ${words}. Break the circle.`,
        );
      }
      if (chain.indexOf(next) < chain.length - 1) break;
    }
  }
}
