/** Uploads in parts that were begun. */
import { type Refusal, refuse } from './refusal.ts';
import type { Target } from './target.ts';

export interface Part {
  readonly bytes: Buffer;
  /** MD5 in hex. */
  readonly etag: string;
}

export interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parts: Map<number, Part>;
}

/** What is being uploaded: kept in memory, and gone with the process. */
export class Uploads {
  readonly #uploads = new Map<string, Upload>();
  #begun = 0;

  /** How many were begun and neither completed nor given up. */
  get open(): number {
    return this.#uploads.size;
  }

  begin(upload: Omit<Upload, 'parts'>): string {
    this.#begun += 1;
    const id = `upload-${this.#begun}`;
    this.#uploads.set(id, { ...upload, parts: new Map() });
    return id;
  }

  find(target: Target): { readonly id: string; readonly upload: Upload } | Refusal {
    const id = target.query.get('uploadId') ?? '';
    const upload = this.#uploads.get(id);
    const isThere = upload?.bucket === target.bucket && upload?.key === target.key;
    return upload && isThere ? { id, upload } : refuse('NoSuchUpload', undefined, { UploadId: id });
  }

  end(id: string): void {
    this.#uploads.delete(id);
  }
}
