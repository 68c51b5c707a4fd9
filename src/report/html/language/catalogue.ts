/** What a language has to say. */
import type { en } from './en.ts';

export type MessageKey = keyof typeof en;

/** Every message of the page; a language that lacks one does not compile. */
export type Catalogue = Readonly<Record<MessageKey, string>>;
