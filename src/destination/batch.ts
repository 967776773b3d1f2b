/**
 * Many small files at once: each is written whole under a private name, and a batch of them is
 * brought to the disk by one syncfs(2) and then published, rename by rename. What fsync costs for
 * one file (half a millisecond) it costs for thousands.
 *
 * Invariant: a file has its final name only when its content is on the disk.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { printable } from "../wire/printable.ts";
import { LocalError, must } from "./error.ts";
import { type Publication, publish, Staged } from "./staged.ts";
import { type Staging } from "./staging.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Files of a batch: what a killed run has to fetch again. */
const FILES_MAX = 4096;

/** Bytes of a batch. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Up to so many files are synced one by one: syncfs also waits for what others wrote. */
const SINGLE_MAX = 8;

/** A file that is written and not published. */
interface Pending {
  readonly name: ByteString;
  readonly publication: Publication;
  /** Told when it is published, or why not. */
  readonly done: (error: unknown) => void;
  /** Still open, to be synced by itself; null when the batch is synced as a whole. */
  file: Staged | null;
}

/** Writes small files into one destination. */
export class Batch {
  readonly #staging: Staging;
  #pending: Pending[] = [];
  #bytes = 0;

  constructor(staging: Staging) {
    this.#staging = staging;
  }

  /**
   * Writes `bytes` under the staged `name`; `done` is told later, null or the error, at the latest
   * by flush(). Throws LocalError when it can't be written.
   */
  add(
    name: ByteString,
    bytes: Uint8Array,
    publication: Publication,
    done: (error: unknown) => void,
  ): void {
    const file = Staged.open(this.#staging, name);
    try {
      if (file.had > BigInt(bytes.length)) must(kernel.ftruncate(file.fd, 0n), () => "cutting");
      file.write(bytes, 0n);
      file.note(publication.mtime, publication.etag);
    } catch (error) {
      file.discard();
      file.close();
      throw error;
    }
    const alone = this.#pending.length < SINGLE_MAX;
    if (!alone) file.close();
    this.#pending.push({ name, publication, done, file: alone ? file : null });
    this.#bytes += bytes.length;
    if (this.#pending.length >= FILES_MAX || this.#bytes >= BYTES_MAX) this.flush();
  }

  /** Publishes what has been written. Errors go to each file's `done`. */
  flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#bytes = 0;
    if (pending.length === 0) return;
    const together = pending.length > SINGLE_MAX ? this.#syncAll() : null;
    for (const one of pending) {
      let failed: unknown = together;
      try {
        if (failed === null) this.#publish(one);
      } catch (error) {
        failed = error;
      }
      one.file?.close();
      one.done(failed);
    }
  }

  // --- internal ---

  #syncAll(): LocalError | null {
    const synced = kernel.syncfs(this.#staging.fd);
    if (synced === 0 || synced === -ERRNO.ENOSYS) return null;
    try {
      must(synced, () => `syncing ${printable(this.#staging.folder.path)}`);
    } catch (error) {
      if (error instanceof LocalError) return error;
      throw error;
    }
    return null;
  }

  #publish({ name, publication, file }: Pending): void {
    const { folder, name: final, replace } = publication;
    if (file !== null)
      must(kernel.fsync(file.fd), () => `syncing ${printable(folder.pathOf(final))}`);
    publish(this.#staging, name, folder, final, replace);
  }
}
