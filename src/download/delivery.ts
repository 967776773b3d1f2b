/**
 * Brings orders from one server into one destination: small files in lanes, large ones as
 * downloads, each published when it is complete and compared. It starts over what has changed
 * meanwhile, tries again what passes, and reports each order exactly once.
 */
import fs from "node:fs";
import { Batch } from "../destination/batch.ts";
import { LocalError, localError } from "../destination/error.ts";
import { Staged } from "../destination/staged.ts";
import type { Staging } from "../destination/staging.ts";
import { ERRNO } from "../sys/errno.ts";
import { Failure } from "../wire/failure.ts";
import { printable } from "../wire/printable.ts";
import { FileDownload } from "./filedownload.ts";
import { ClientError } from "../client/error.ts";
import { Pipeline, SMALL_BYTES_MAX } from "./pipeline.ts";
import { type Order, publicationOf } from "./order.ts";
import type { Origin } from "./origin.ts";
import { passes, Retry } from "./retry.ts";
import type { FileTally, Tally } from "./progress.ts";

/** Large files at once: while one is synced the next is received. */
const LARGE_AT_ONCE = 2;

/** Lanes on a long line, where one connection alone is held back. */
const LANES_FAR = 4;

/** Orders that wait: beyond, whoever lists more is asked to wait. */
const WAITING_MAX = 16_384;

/** How often a file that changes under our hands is started over. */
const RESTARTS_MAX = 3;

/**
 * Longer before each further start: a server may believe a name for a second, and until then refuse
 * the version that it tells of. Three starts outlast that.
 */
const RESTART_WAIT_MS = 500;

/** How often a small file may come wrong. */
const BAD_MAX = 3;

/** Largest file, 64 TiB: of its chunks a table is held. */
const SIZE_MAX = 2n ** 46n;

/** Errors of this machine after which no other file will fare better. */
const HOPELESS = ["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"];

/** What becomes of orders. */
export interface DeliveryOwner {
  /** It is published. */
  delivered(file: FileTally, order: Order): void;
  /** It is not: ClientError or LocalError. */
  undelivered(file: FileTally, error: unknown, order: Order): void;
  /** Whether what is complete may be published; it may look at the staged file first. */
  inspect?(order: Order, path: string): Promise<void>;
}

/** Orders of one server into one destination. */
export class Delivery {
  readonly #origin: Origin;
  readonly #staging: Staging;
  readonly #tally: Tally;
  readonly #owner: DeliveryOwner;
  readonly #batch: Batch;
  readonly #small: Order[] = [];
  readonly #large: Order[] = [];
  readonly #lanes = new Set<Pipeline>();
  readonly #running = new Set<Promise<void>>();
  /** Tries of small files that were refused for now. */
  readonly #refused = new WeakMap<Order, Retry>();
  #lanesWanted = 0;
  #largeRunning = 0;
  #room = Promise.withResolvers<void>();
  /** The error after which nothing more is tried. */
  #hopeless: unknown = null;

  constructor(origin: Origin, staging: Staging, tally: Tally, owner: DeliveryOwner) {
    this.#origin = origin;
    this.#staging = staging;
    this.#tally = tally;
    this.#owner = owner;
    this.#batch = new Batch(staging);
  }

  /** Takes an order; resolves when there is room for another. */
  async add(order: Order): Promise<void> {
    this.#take(order);
    while (this.#small.length + this.#large.length >= WAITING_MAX) await this.#room.promise;
  }

  /** Takes it without waiting: what starts over must not wait for room that it should make. */
  #take(order: Order): void {
    if (this.#hopeless !== null) {
      this.#fail(order, this.#hopeless);
      return;
    }
    if (order.file.entry.size > SIZE_MAX) {
      const name = printable(order.file.path);
      const text = `${name} has ${order.file.entry.size} bytes: more than 64 TiB can't be fetched`;
      this.#fail(order, new LocalError("EFBIG", text));
      return;
    }
    (this.#isSmall(order) ? this.#small : this.#large).push(order);
    this.#staff();
  }

  /** Resolves when every order is delivered or has failed. */
  async finish(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
    this.#batch.flush();
  }

  // --- internal: who works ---

  #staff(): void {
    for (const lane of this.#lanes) lane.fill();
    const most = this.#origin.far ? Math.min(LANES_FAR, this.#origin.options.connections) : 1;
    if (this.#small.length > 0 && this.#lanesWanted < most) {
      this.#lanesWanted += 1;
      this.#run(() => this.#lane().finally(() => (this.#lanesWanted -= 1)));
    }
    while (this.#large.length > 0 && this.#largeRunning < LARGE_AT_ONCE) {
      const order = this.#large.shift();
      if (order === undefined) return;
      this.#madeRoom();
      this.#largeRunning += 1;
      this.#run(() => this.#bring(order).finally(() => (this.#largeRunning -= 1)));
    }
  }

  #run(work: () => Promise<void>): void {
    const running = work().finally(() => {
      this.#running.delete(running);
      if (this.#small.length + this.#large.length > 0) this.#staff();
    });
    this.#running.add(running);
  }

  #madeRoom(): void {
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }

  // --- internal: small files ---

  /** What is to be inspected must be on the disk first, whatever its size. */
  #isSmall({ file }: Order): boolean {
    return file.entry.size <= SMALL_BYTES_MAX && this.#owner.inspect === undefined;
  }

  async #lane(): Promise<void> {
    const { options } = this.#origin;
    const retry = new Retry(options.retries, options.waited);
    while (this.#small.length > 0) {
      try {
        await this.#laneOnce(() => retry.progress());
      } catch (error) {
        try {
          await retry.after(error);
        } catch {
          for (const order of this.#small.splice(0)) this.#fail(order, error);
          this.#madeRoom();
        }
      }
    }
  }

  async #laneOnce(progress: () => void): Promise<void> {
    const client = await this.#origin.take();
    const lane = new Pipeline(
      client,
      this.#origin,
      {
        next: () => this.#nextSmall(),
        brought: (order, bytes) => {
          progress();
          this.#write(order, bytes);
        },
        failed: (order, error) => this.#start(() => this.#again(order, error)),
      },
      this.#tally,
    );
    this.#lanes.add(lane);
    // The first connection has told how far it is: perhaps more lanes pay.
    this.#staff();
    try {
      await lane.run((orders) => this.#small.unshift(...orders));
    } finally {
      this.#lanes.delete(lane);
      this.#origin.giveBack(client);
    }
  }

  #nextSmall(): Order | null {
    const order = this.#small.shift() ?? null;
    if (this.#small.length + this.#large.length === WAITING_MAX - 1) this.#madeRoom();
    return order;
  }

  #write(order: Order, bytes: Uint8Array): void {
    try {
      this.#batch.add(order.staged, bytes, publicationOf(order), (error) => {
        const size = bytes.length;
        const verified = this.#origin.verifies ? size : 0;
        if (error === null)
          this.#delivered(order, blank(order, { received: size, verified, arrived: size }), size);
        else this.#fail(order, error);
      });
    } catch (error) {
      this.#fail(order, error);
    }
  }

  // --- internal: large files ---

  async #bring(order: Order): Promise<void> {
    try {
      await this.#fetch(order);
    } catch (error) {
      // The staged file is closed by now: starting over locks it again.
      await this.#again(order, error);
    }
  }

  async #fetch(order: Order): Promise<void> {
    const own: FileTally = blank(order, { state: "running" });
    this.#tally.running.add(own);
    let staged: Staged | null = null;
    try {
      staged = Staged.open(this.#staging, order.staged);
      staged.claim();
      await new FileDownload(this.#origin, order.file, staged, this.#tally, own).run();
      await this.#publish(order, staged);
      this.#delivered(order, own, 0);
    } catch (error) {
      own.state = "failed";
      this.#tally.arrived -= own.arrived;
      throw error;
    } finally {
      staged?.close();
      this.#tally.running.delete(own);
    }
  }

  async #publish(order: Order, staged: Staged): Promise<void> {
    const publication = publicationOf(order);
    try {
      await this.#owner.inspect?.(order, `/proc/self/fd/${staged.fd}`);
    } catch (error) {
      // It is what the server has, and not what is wanted: going on from it would never help.
      if (error instanceof ClientError && error.kind === "corrupt") staged.discard();
      throw error;
    }
    staged.note(publication.mtime, publication.etag);
    await synced(staged.fd, printable(order.folder.pathOf(order.name)));
    staged.publish(publication);
    order.folder.sync();
  }

  // --- internal: ends ---

  /** Starts a file over that has changed or came wrong; else it has failed. */
  async #again(order: Order, error: unknown): Promise<void> {
    if (error instanceof ClientError && error.kind === "changed") {
      if (order.restarts++ < RESTARTS_MAX && (await this.#renewed(order))) return;
    } else if (error instanceof ClientError && error.kind === "corrupt") {
      if (this.#isSmall(order) && ++order.bad < BAD_MAX) {
        this.#origin.options.note(`${printable(order.file.path)} arrived wrong, fetched again`);
        this.#take(order);
        return;
      }
    } else if (this.#isSmall(order) && passes(error) && (await this.#waited(order, error))) {
      this.#take(order);
      return;
    }
    this.#fail(order, error);
  }

  /** A refusal that may pass, as of a server that is full: false when it was waited for enough. */
  async #waited(order: Order, error: unknown): Promise<boolean> {
    const { options } = this.#origin;
    const retry = this.#refused.get(order) ?? new Retry(options.retries, options.waited);
    this.#refused.set(order, retry);
    return retry.after(error).then(
      () => true,
      () => false,
    );
  }

  /** Orders the version that is there now; false when there is none. */
  async #renewed(order: Order): Promise<boolean> {
    const { path, entry: before } = order.file;
    try {
      await Bun.sleep(RESTART_WAIT_MS * (order.restarts - 1));
      const entry = await this.#origin.link.ask((client) => client.stat(path));
      if (entry.type !== "file") return false;
      this.#tally.bytes += Number(entry.size - before.size);
      this.#origin.options.note(`${printable(path)} has changed on the server: starting over`);
      order.file = { path, entry };
      this.#take(order);
      return true;
    } catch {
      // The first error tells more.
      return false;
    }
  }

  #start(action: () => Promise<void>): void {
    this.#run(action);
  }

  /** `file` is published; its `arrived` bytes were not counted so far. */
  #delivered(order: Order, file: FileTally, arrived: number): void {
    file.state = "done";
    this.#tally.done += 1;
    this.#tally.arrived += arrived;
    this.#owner.delivered(file, order);
  }

  #fail(order: Order, error: unknown): void {
    this.#tally.failed += 1;
    this.#owner.undelivered(blank(order, { state: "failed" }), error, order);
    if (this.#hopeless !== null || !isHopeless(error)) return;
    this.#hopeless = error;
    for (const left of [...this.#small.splice(0), ...this.#large.splice(0)])
      this.#fail(left, error);
    this.#madeRoom();
  }
}

// --- internal ---

function blank(order: Order, known: Partial<FileTally>): FileTally {
  const file: FileTally = {
    // Most small files are never shown by name.
    get name() {
      return printable(order.folder.pathOf(order.name));
    },
    state: "waiting",
    size: Number(order.file.entry.size),
    received: 0,
    kept: 0,
    verified: 0,
    arrived: 0,
    connections: 0,
  };
  return Object.assign(file, known);
}

/** True when no other file would fare better: the disk takes nothing, or the caller gave up. */
function isHopeless(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  return error.kind === "aborted" || (error.kind === "local" && HOPELESS.includes(error.code));
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
