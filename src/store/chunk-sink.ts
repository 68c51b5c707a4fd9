/** Gathers small texts, so that each write is worth its while. */
import type { TextSink } from '../domain/output.ts';

/** Texts are gathered to this many characters before they are written. */
const chunkLength = 65_536;

export class ChunkSink implements TextSink {
  readonly #write: (text: string) => Promise<void>;
  #texts: string[] = [];
  #length = 0;

  constructor(write: (text: string) => Promise<void>) {
    this.#write = write;
  }

  async write(text: string): Promise<void> {
    this.#texts.push(text);
    this.#length += text.length;
    if (this.#length >= chunkLength) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#texts.join('');
    this.#texts = [];
    this.#length = 0;
    if (text !== '') await this.#write(text);
  }
}
