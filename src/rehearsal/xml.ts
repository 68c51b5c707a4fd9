/** Writes the S3 protocol's XML. */

/** Elements by name: text, a list of nested elements under the same name, or nothing where undefined. */
export interface XmlElements {
  readonly [name: string]: string | number | boolean | undefined | readonly XmlElements[];
}

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A document whose root is in S3's namespace; errors, as at AWS, are in none. */
export function writeXml(root: string, elements: XmlElements): string {
  const attribute = root === 'Error' ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${writeElements(elements)}</${root}>`;
}

function writeElements(elements: XmlElements): string {
  let text = '';
  for (const [name, value] of Object.entries(elements)) {
    if (value === undefined) continue;
    if (typeof value === 'object') {
      for (const nested of value) text += `<${name}>${writeElements(nested)}</${name}>`;
    } else text += `<${name}>${escapeText(String(value))}</${name}>`;
  }
  return text;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters become references, although XML 1.0 forbids most of them: AWS does the same. */
function escapeText(text: string): string {
  return text.replace(
    /[&<>"\p{Cc}]/gu,
    (found) => entities[found] ?? `&#x${found.charCodeAt(0).toString(16)};`,
  );
}
