/**
 * One file, of one version, into a staged file: over as many connections as pay, each byte from
 * whichever gets to it, each chunk compared before it counts. It owns the plan, the crew and the
 * verifier of that file; it does not publish and does not start over.
 *
 * Invariant: it resolves only when every chunk of the plan is good; however it ends, what is on the
 * disk is a start for the next run.
 */
import type { Staged } from "../destination/staged.ts";
import { type SocketToFile, openSocketToFile } from "../receive/splice.ts";
import { RangeSink } from "../receive/rangesink.ts";
import { kernel } from "../sys/kernel.ts";
import { CHUNK_BYTES_DEFAULT } from "../wire/digest.ts";
import { printable } from "../wire/printable.ts";
import { ConnectionPool } from "./pool.ts";
import { ClientError } from "../client/error.ts";
import type { Origin, RemoteFile } from "./origin.ts";
import type { FileConnection, Segment } from "./connection.ts";
import { Plan, type FileRange } from "./plan.ts";
import { Retry } from "./retry.ts";
import type { FileTally, Tally } from "./progress.ts";
import { changed, Verifier } from "./verifier.ts";

/** Bytes of an earlier run whose digests are asked for at once: within a second of hashing. */
const KEPT_BYTES_AHEAD = 64 * 1024 * 1024;

/** A chunk that comes bad so often is not sent right by this server. */
const BAD_MAX = 3;

/**
 * Chunks on a long line: a connection's last chunk can't be shared, and one that lost packets early
 * may bring 300 kB a second. Larger where a file would have more of them than that.
 */
const CHUNK_BYTES_FAR = 256 * 1024;
const CHUNKS_FAR = 65_536;

/** One for all files: it holds a pipe, and between two calls nothing. */
let conduit: SocketToFile | null | undefined;

/** Brings one file. */
export class FileDownload {
  readonly plan: Plan;
  readonly #origin: Origin;
  readonly #file: RemoteFile;
  readonly #staged: Staged;
  readonly #tally: Tally;
  readonly #own: FileTally;
  readonly #verifier: Verifier;
  readonly #retry: Retry;
  readonly #crew: ConnectionPool;
  readonly #bad = new Map<number, number>();
  readonly #over = Promise.withResolvers<void>();
  /** Chunks of an earlier run that are still to be compared. */
  readonly #suspects = new Set<number>();
  #settled = false;

  constructor(origin: Origin, file: RemoteFile, staged: Staged, tally: Tally, own: FileTally) {
    this.#origin = origin;
    this.#file = file;
    this.#staged = staged;
    this.#tally = tally;
    this.#own = own;
    this.plan = planOf(Number(file.entry.size), origin.far);
    this.#retry = new Retry(origin.options.retries, origin.options.waited);
    const begin = (part: FileConnection, range: FileRange): Segment => this.#begin(part, range);
    const failed = (error: unknown): void => this.#fail(error);
    this.#crew = new ConnectionPool(origin, { plan: this.plan, begin, failed }, this.#retry, own);
    this.#verifier = new Verifier({
      path: file.path,
      etag: file.entry.etag,
      plan: this.plan,
      file: staged,
      ask: (request) => this.#retry.reach(() => origin.link.ask(request)),
      judged: (index, good) => this.#judged(index, good),
      failed,
    });
  }

  /**
   * Brings what is missing. Rejects with ClientError: "changed" when the file is not that version
   * any more, "corrupt" when a chunk keeps coming bad, "incomplete", "no-connection" or "timed-out"
   * when trying again did not help; or with LocalError.
   */
  async run(): Promise<void> {
    conduit ??= openSocketToFile();
    this.#findKept();
    this.#staged.reserve(this.#file.entry.size);
    if (this.plan.complete) return;
    this.#compare(() => this.#checkKept());
    this.#crew.start();
    try {
      await this.#over.promise;
    } finally {
      this.#settled = true;
      this.#crew.end();
      await this.#verifier.settled();
    }
  }

  // --- internal: what an earlier run left ---

  #findKept(): void {
    for (let index = 0; index < this.plan.count; index++) {
      const { offset, length } = this.plan.rangeOf(index);
      if (!this.#staged.hasData(BigInt(offset), BigInt(length))) continue;
      this.plan.keep(index);
      this.#suspects.add(index);
    }
  }

  /** Digests of the next lot are on their way while one lot is read. */
  async #checkKept(): Promise<void> {
    const kept = this.plan.kept();
    const lot = KEPT_BYTES_AHEAD / this.plan.chunkBytes;
    let asking = this.#verifier.expect(kept.slice(0, lot));
    for (let at = 0; at < kept.length; at += lot) {
      await asking;
      asking = this.#verifier.expect(kept.slice(at + lot, at + 2 * lot));
      // Awaited in its turn; until then a failure is not an accident.
      asking.catch(() => {});
      for (const index of kept.slice(at, at + lot)) {
        if (this.#settled) return;
        await this.#verifier.checkCold(index);
      }
    }
  }

  // --- internal: bytes ---

  #begin(part: FileConnection, range: FileRange): Segment {
    const sink = new RangeSink(this.#staged, range.offset, conduit ?? null, (count) => {
      this.#arrived(part, unit, count);
    });
    const { path, entry } = this.#file;
    const reading = part.client.read(path, sink, {
      offset: BigInt(range.offset),
      length: BigInt(range.length),
      ifEtag: entry.etag,
    });
    // A server that does not keep to `if=`: of a shorter file fewer bytes come than are awaited.
    const done = reading.then(({ etag, size }) => {
      if (etag !== entry.etag || size !== entry.size) throw changed(path);
    });
    const unit: Segment = { range, sink, done, length: range.length };
    // Awaited in its turn; until then a failure is not an accident.
    done.catch(() => {});
    return unit;
  }

  #arrived(part: FileConnection, unit: Segment, count: number): void {
    const after = unit.sink.written;
    if (after === count && this.#origin.verifies) {
      this.#compare(() => this.#verifier.expect(this.plan.chunksOf(unit.range)));
    }
    // What lies behind its length is another part's by now.
    const mine = Math.max(0, Math.min(after, unit.length) - (after - count));
    part.receive(count);
    this.#retry.progress();
    this.#own.received += count;
    this.#own.arrived += mine;
    this.#tally.received += count;
    this.#tally.arrived += mine;
    const own = Math.min(after, unit.length);
    for (const index of this.plan.arrive(unit.range, after - count, own)) this.#whole(index);
    if (after >= unit.length && unit.length < unit.range.length) part.dismiss();
  }

  #whole(index: number): void {
    const { offset, length } = this.plan.rangeOf(index);
    kernel.startSync(this.#staged.fd, BigInt(offset), length);
    if (this.#origin.verifies) this.#verifier.check(index);
    else this.#accept(index);
  }

  // --- internal: judging ---

  #judged(index: number, good: boolean): void {
    if (this.#settled) return;
    const { length } = this.plan.rangeOf(index);
    const kept = this.#suspects.delete(index);
    if (good) {
      this.#own.verified += length;
      this.#tally.verified += length;
      if (kept) {
        this.#own.kept += length;
        this.#own.arrived += length;
        this.#tally.kept += length;
        this.#tally.arrived += length;
      }
      this.#accept(index);
      return;
    }
    this.plan.refuse(index);
    if (!kept) this.#refetch(index, length);
    this.#crew.wake();
  }

  #accept(index: number): void {
    this.plan.accept(index);
    this.#retry.progress();
    if (this.plan.complete) this.#over.resolve();
  }

  #refetch(index: number, length: number): void {
    this.#own.arrived -= length;
    this.#tally.arrived -= length;
    const times = (this.#bad.get(index) ?? 0) + 1;
    this.#bad.set(index, times);
    const where = `${printable(this.#file.path)}: bytes ${index * this.plan.chunkBytes} on`;
    this.#origin.options.note(`${where} arrived wrong, fetched again`);
    if (times < BAD_MAX) return;
    const text = `EIO: ${where} arrived wrong ${times} times: the server sends other bytes than it hashes`;
    this.#fail(new ClientError("corrupt", "EIO", text));
  }

  // --- internal: ends ---

  /** Runs what asks for digests, which a server may not have; its failure is the download's. */
  #compare(action: () => Promise<void>): void {
    action().catch((error: unknown) => {
      if (error instanceof ClientError && error.code === "ENOSYS") this.#goUnverified();
      else this.#fail(error);
    });
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#over.reject(error);
  }

  /** A server that has no HASH: what an earlier run left can't be believed, what comes must be. */
  #goUnverified(): void {
    this.#origin.cannotVerify();
    for (const index of this.#suspects) this.plan.refuse(index);
    this.#suspects.clear();
    for (const index of this.plan.unjudged()) this.#accept(index);
    this.#crew.wake();
  }
}

// --- internal ---

function planOf(size: number, far: boolean): Plan {
  let chunkBytes = far ? CHUNK_BYTES_FAR : CHUNK_BYTES_DEFAULT;
  while (chunkBytes < CHUNK_BYTES_DEFAULT && size > chunkBytes * CHUNKS_FAR) chunkBytes *= 2;
  return new Plan(size, chunkBytes);
}
