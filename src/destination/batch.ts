/**
 * A batch of small files: each is written whole under a private name, all are brought to the disk
 * by one syncfs(2), published rename by rename, and then the folders that got a name are synced,
 * each once. What fsync costs for one file (half a millisecond) it costs for thousands.
 *
 * Invariant: a file has its final name only when its content is on the disk, and is reported only
 * when its name is.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { OPEN } from "../sys/types.ts";
import { printable } from "../wire/printable.ts";
import { LocalError, localError, must } from "./error.ts";
import { type Folder, syncFolders } from "./folder.ts";
import { type Publication, publish, Staged } from "./staged.ts";
import { type Staging } from "./staging.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Files of a batch: what a killed run has to fetch again. */
const FILES_MAX = 4096;

/**
 * Files of a batch in a staging folder that others may use too: each stays open, for its lock, and
 * a descriptor each is what a system has least of.
 */
const SHARED_FILES_MAX = 128;

/** Bytes of a batch. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Up to so many files are synced one by one: syncfs also waits for what others wrote. */
const SINGLE_MAX = 8;

/** The limits of a process and of the whole system. */
const NO_DESCRIPTOR: readonly string[] = ["EMFILE", "ENFILE"];

/** A file that is written and not published. */
interface Pending {
  /** What it is called in the staging folder. */
  readonly name: ByteString;
  /** No run looks for that name again: what is not published goes. */
  readonly own: boolean;
  readonly publication: Publication;
  /** Called when content and name are on the disk, or with the error. */
  readonly done: (error: unknown) => void;
  /**
   * Still open: to be synced by itself, or so that nobody else fills it before it has its name;
   * null where the batch is synced as a whole, and the staging folder is locked as one.
   */
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
   * Writes `bytes` under the staged `name`, or under one of its own where the staging folder is
   * locked as a whole: others, who lock each file, may fill `name` there. `done` is told later,
   * null or the error, at the latest by flush(). Throws LocalError when it can't be written.
   */
  add(
    name: ByteString,
    bytes: Uint8Array,
    publication: Publication,
    done: (error: unknown) => void,
  ): void {
    const { exclusive } = this.#staging;
    if (exclusive) this.#forget(name);
    const own = exclusive ? this.#staging.ownName() : name;
    const file = this.#open(own, name);
    try {
      if (file.had > BigInt(bytes.length)) {
        const doing = (): string => `cutting ${printable(this.#staging.folder.pathOf(name))}`;
        must(kernel.ftruncate(file.fd, 0n), doing);
      }
      file.write(bytes, 0n);
      file.note(publication.mtime, publication.etag);
    } catch (error) {
      file.discard();
      file.close();
      throw error;
    }
    const stays = !exclusive || this.#pending.length < SINGLE_MAX;
    if (!stays) file.close();
    this.#pending.push({ name: own, own: exclusive, publication, done, file: stays ? file : null });
    this.#bytes += bytes.length;
    const most = exclusive ? FILES_MAX : SHARED_FILES_MAX;
    if (this.#pending.length >= most || this.#bytes >= BYTES_MAX) this.flush();
  }

  /** Publishes what has been written. Errors go to each file's `done`. */
  flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#bytes = 0;
    if (pending.length === 0) return;
    const synced = pending.length > SINGLE_MAX ? this.#syncTogether() : false;
    const failed: unknown = synced instanceof LocalError ? synced : null;
    const errors = pending.map(() => failed);
    const folders = new Set<Folder>();
    for (const [nth, one] of pending.entries()) {
      errors[nth] ??= caught(() => this.#publish(one, synced === true));
      if (errors[nth] !== null && one.own) this.#staging.forget(one.name);
      one.file?.close();
      if (errors[nth] === null) folders.add(one.publication.folder);
    }
    const lost = syncFolders(folders);
    for (const [nth, { publication, done }] of pending.entries()) {
      done(errors[nth] ?? lost.get(publication.folder) ?? null);
    }
  }

  // --- internal ---

  /** Opens a staged file; where no descriptor is left, those of the batch are let go first. */
  #open(name: ByteString, told: ByteString): Staged {
    try {
      return Staged.open(this.#staging, name, told);
    } catch (error) {
      const many = error instanceof LocalError && NO_DESCRIPTOR.includes(error.code);
      if (!many || this.#pending.length === 0) throw error;
      this.flush();
      return Staged.open(this.#staging, name, told);
    }
  }

  /** Removes what an earlier run left under `name`, if there is that, and nobody fills it. */
  #forget(name: ByteString): void {
    if (!this.#staging.left.delete(name)) return;
    let file: Staged | null = null;
    try {
      file = this.#open(name, name);
      file.claim();
      file.discard();
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
    } finally {
      file?.close();
    }
  }

  /** Syncs all contents at once: true, false where this system can't, or the error. */
  #syncTogether(): boolean | LocalError {
    const synced = kernel.syncfs(this.#staging.fd);
    if (synced === 0) return true;
    if (synced === -ERRNO.ENOSYS) return false;
    return localError(synced, `syncing ${printable(this.#staging.folder.path)}`);
  }

  #publish({ name, publication, file }: Pending, synced: boolean): void {
    const { folder, name: final, replace } = publication;
    if (!synced) this.#sync(name, file, () => `syncing ${printable(folder.pathOf(final))}`);
    publish(this.#staging, name, folder, final, replace);
  }

  /** Syncs one content, of `file` or, where that is closed, of what has its name. */
  #sync(name: ByteString, file: Staged | null, doing: () => string): void {
    if (file !== null) {
      must(kernel.fsync(file.fd), doing);
      return;
    }
    const fd = must(kernel.openat(this.#staging.fd, name, OPEN.readOnly | OPEN.noFollow), doing);
    const synced = kernel.fsync(fd);
    kernel.close(fd);
    must(synced, doing);
  }
}

// --- internal ---

/** What `action` throws, or null. */
function caught(action: () => void): unknown {
  try {
    action();
    return null;
  } catch (error) {
    return error;
  }
}
