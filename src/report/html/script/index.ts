/**
 * The page's own script, as text so that it also lies in the compiled program. It fills the list of flagged items from
 * the data blocks. Text reaches the document as text nodes and attributes only, never as markup.
 */
import { data } from './data.ts';
import { element } from './element.ts';
import { exporting } from './export.ts';
import { filter } from './filter.ts';
import { item } from './item.ts';
import { list } from './list.ts';
import { timeline } from './timeline.ts';
import { word } from './word.ts';

/** The parts share one scope; the last one runs them. */
export const script = `'use strict';
(() => {
${[element, word, data, filter, timeline, item, exporting, list].join('\n')}})();
`;
