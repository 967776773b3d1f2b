/**
 * The large files of a delivery: each a download of its own into a staged file, published when it
 * is complete and compared.
 *
 * Invariant: an order that was added leaves once: delivered, failed, or by drain(); and its staged
 * file is closed by then, so that another attempt can lock it.
 */
import fs from "node:fs";
import { Basis } from "../destination/basis.ts";
import { localError } from "../destination/error.ts";
import { syncFolders } from "../destination/folder.ts";
import { Staged } from "../destination/staged.ts";
import type { Staging } from "../destination/staging.ts";
import { ERRNO } from "../sys/errno.ts";
import { printable } from "../wire/printable.ts";
import { ClientError } from "../client/error.ts";
import type { Agreement } from "./agreement.ts";
import type { AttemptOwner, Inspect } from "./attempt.ts";
import { FileDownload } from "./filedownload.ts";
import { OnePiece } from "./onepiece.ts";
import { type Order, publicationOf } from "./order.ts";
import type { Origin } from "./origin.ts";
import { FileCounter, type Progress } from "./progress.ts";
import { resembles } from "./reuse.ts";
import type { SourceFile } from "./source.ts";

/** Large files at once: while one is synced the next is received. */
const AT_ONCE = 2;

/** Large files of one server. */
export class LargeFiles {
  readonly #origin: Origin;
  readonly #staging: Staging;
  readonly #progress: Progress;
  readonly #owner: AttemptOwner;
  readonly #inspect: Inspect | null;
  readonly #queue: Order[] = [];
  #running = 0;

  constructor(
    origin: Origin,
    staging: Staging,
    progress: Progress,
    owner: AttemptOwner,
    inspect: Inspect | null,
  ) {
    this.#origin = origin;
    this.#staging = staging;
    this.#progress = progress;
    this.#owner = owner;
    this.#inspect = inspect;
  }

  /** Orders that are not begun. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes an order; start() begins it. */
  add(order: Order): void {
    this.#queue.push(order);
  }

  /** Begins as many as may run at once. */
  start(): void {
    while (this.#running < AT_ONCE) {
      const order = this.#queue.shift();
      if (order === undefined) return;
      this.#running += 1;
      this.#owner.dequeued();
      this.#owner.run(() => this.#bring(order).finally(() => (this.#running -= 1)));
    }
  }

  /** Takes back all orders that are not begun. */
  drain(): Order[] {
    return this.#queue.splice(0);
  }

  // --- internal ---

  async #bring(order: Order): Promise<void> {
    const file = new FileCounter(this.#progress, order);
    file.begin();
    try {
      await this.#fetch(order, file);
    } catch (error) {
      file.abandon();
      this.#owner.failed(order, file, error);
      return;
    }
    this.#owner.delivered(order, file);
  }

  async #fetch(order: Order, file: FileCounter): Promise<void> {
    const staged = Staged.open(this.#staging, order.staged);
    let ours = false;
    try {
      staged.claim();
      ours = true;
      const download = await this.#bringTo(staged, order, file);
      await this.#compare(order, staged, file, download);
      await this.#publish(order, staged);
    } catch (error) {
      // A full disk, or a server that sent nothing: an empty file is no start for the next run.
      // Nor is a part of what comes in one piece only.
      const useless = staged.blank || order.file.entry.http?.parts === false;
      if (ours && useless) staged.discard();
      throw error;
    } finally {
      staged.close();
    }
  }

  /** What has brought it; null where it came in one piece. */
  async #bringTo(staged: Staged, order: Order, counter: FileCounter): Promise<FileDownload | null> {
    if (order.file.entry.http?.parts === false) {
      const before = order.file.entry.size;
      order.file = await new OnePiece(this.#origin, order.file, staged, counter).run();
      counter.size = Number(order.file.entry.size);
      this.#progress.bytes += Number(order.file.entry.size - before);
      return null;
    }
    using basis = await this.#basisOf(order);
    const { files, whole } = await this.#sourcesOf(order);
    const download = new FileDownload(files, staged, counter, basis, whole);
    await download.run();
    order.file = download.file;
    order.whole = whole;
    return download;
  }

  /** Who brings it in this attempt, and what the whole must have where that is what they share. */
  async #sourcesOf(order: Order): Promise<Agreement> {
    // What changed on one server may have changed on all.
    if (order.restarts > 0 && order.others !== undefined) {
      const { renewed } = await import("./gather.ts");
      order.others = await renewed(order);
    }
    const files = this.#filesOf(order);
    const [first, ...others] = files;
    const compared = files.some(({ origin }) => origin.verifies);
    if (others.length === 0 || compared) return { files, whole: null };
    const { agreementOf } = await import("./agreement.ts");
    return agreementOf(first, others, order);
  }

  #filesOf({ file, others = [] }: Order): [SourceFile, ...SourceFile[]] {
    return [{ origin: this.#origin, file }, ...others];
  }

  /** The file that is replaced, where anything of the new one is in it. */
  async #basisOf(order: Order): Promise<Basis | null> {
    if (!order.replace || !this.#origin.verifies || !this.#origin.options.delta) return null;
    const basis = Basis.open(order.folder, order.name);
    if (basis === null || (await resembles(basis, this.#filesOf(order)))) return basis;
    basis[Symbol.dispose]();
    return null;
  }

  /**
   * Compares the whole, where there is something to compare it with. What `download` has brought
   * from several sources by that alone, and is wrong, comes again from one at a time.
   */
  async #compare(
    order: Order,
    staged: Staged,
    counter: FileCounter,
    download: FileDownload | null,
  ): Promise<void> {
    const look = async (): Promise<void> => {
      const compared = await this.#inspect?.(order, `/proc/self/fd/${staged.fd}`);
      if (compared === true) counter.verify(counter.size);
    };
    const again = async (wrong: unknown): Promise<void> => {
      const together = order.whole !== null && (download?.sources.length ?? 0) > 1;
      if (!isCorrupt(wrong) || download === null || !together) throw wrong;
      const { bringOneByOne } = await import("./onebyone.ts");
      const right = await bringOneByOne(download, staged, wrong, async (source) => {
        counter.startOver();
        await new FileDownload([source], staged, counter, null).run();
        await look();
      });
      order.file = right.file;
    };
    try {
      await look().catch(again);
    } catch (error) {
      // The file is what the server has, and not what is wanted: going on from it never helps.
      if (isCorrupt(error)) staged.discard();
      throw error;
    }
  }

  async #publish(order: Order, staged: Staged): Promise<void> {
    const publication = publicationOf(order);
    staged.note(publication.mtime, publication.etag);
    await synced(staged.fd, printable(order.folder.pathOf(order.name)));
    staged.publish(publication);
    const error = syncFolders([order.folder]).get(order.folder);
    if (error !== undefined) throw error;
  }
}

// --- internal ---

function isCorrupt(error: unknown): error is ClientError {
  return error instanceof ClientError && error.kind === "corrupt";
}

/** fsync(2) off the loop: of a large file it takes seconds. */
async function synced(fd: number, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  fs.fsync(fd, (error) => {
    if (error === null || error === undefined) resolve();
    else reject(localError(error.errno ?? -ERRNO.EIO, `syncing ${path}`));
  });
  await promise;
}
