/**
 * The download of one file, of one version, into a staged file: from its sources, over as many
 * connections as pay, each byte from whichever gets to it, each chunk compared before it counts. It
 * owns the plan, the pools and the verifier of that file; it does not publish and does not start
 * over.
 *
 *   plan --segment--> pool --READ--> connection 1..n (socket)      one pool a source
 *     ^                                  | RangeSink: splice(2) or pwrite(2), at its own offset
 *     |                                  v
 *     +-- segment.arrive() ------- staged file --whole chunk--> verifier <--HASH-- sources
 *     |                                  |                         |
 *     +-- accept() or refuse() ----------|-------------------------+
 *                                        v  every chunk is good
 *                             LargeFiles: fsync, rename, fsync of the folder
 *
 * Invariant: run() resolves only when every chunk of the plan is good; however it ends, what is on
 * the disk is a start for the next run.
 */
import type { Basis } from "../destination/basis.ts";
import type { Staged } from "../destination/staged.ts";
import { socketToFile } from "../receive/splice.ts";
import { RangeSink } from "../receive/rangesink.ts";
import { kernel } from "../sys/kernel.ts";
import { CHUNK_BYTES_DEFAULT } from "../wire/digest.ts";
import { printable } from "../wire/printable.ts";
import { ConnectionPool } from "./pool.ts";
import { ClientError } from "../client/error.ts";
import { Bringers } from "./bringers.ts";
import { changed } from "./changed.ts";
import type { Origin, RemoteFile } from "./origin.ts";
import type { FileConnection } from "./connection.ts";
import { contentIn, PartsNote, versionIn } from "./partsnote.ts";
import { Plan, type Segment } from "./plan.ts";
import { readback } from "./readback.ts";
import { CHUNK_BYTES_REUSED, Reuse } from "./reuse.ts";
import type { FileCounter } from "./progress.ts";
import type { Checksum } from "./settings.ts";
import { isServers, type Source, type SourceFile } from "./source.ts";
import { Sources } from "./sources.ts";
import { Verifier } from "./verifier.ts";

/** Bytes of an earlier run whose digests are asked for at once: within a second of hashing. */
const KEPT_BYTES_AHEAD = 64 * 1024 * 1024;

/** How often a chunk may come wrong: then the server sends other bytes than it hashes. */
const BAD_MAX = 3;

/**
 * Bytes of a chunk on a long line: a connection's last chunk can't be shared, and one that lost
 * packets early may bring 300 kB a second. Larger where a file would have more chunks than that.
 */
const CHUNK_BYTES_FAR = 256 * 1024;
const CHUNKS_MAX = 65_536;

/** Brings one file. */
export class FileDownload {
  readonly plan: Plan;
  readonly #sources: Sources;
  /** Of the first source: what only it is asked for, and where nothing else is said. */
  readonly #origin: Origin;
  readonly #file: RemoteFile;
  readonly #staged: Staged;
  readonly #counter: FileCounter;
  readonly #verifier: Verifier;
  readonly #pools: readonly ConnectionPool[];
  /** Null: there is one source, and nobody else to blame. */
  readonly #bringers: Bringers | null;
  /** How often a chunk has come wrong. */
  readonly #bad = new Map<number, number>();
  readonly #over = Promise.withResolvers<void>();
  /** The file that is replaced, where it resembles the new one. */
  readonly #basis: Basis | null;
  /** Chunks of an earlier run that are not compared yet. */
  readonly #kept = new Set<number>();
  /** Chunks that may be the same in `#basis`. */
  readonly #offered = new Set<number>();
  /** What is in place, of servers without digests. */
  readonly #note: PartsNote | null;
  /** What the whole must have, where it is compared instead of chunks. */
  readonly #wanted: Checksum | null;
  #ended = false;

  /**
   * `files` are one file's on its sources, the one first whose version is taken for it; all but the
   * first are of the same size, and compared: by chunks, or, where nobody tells digests of them, by
   * `whole`, which all of them tell and the caller compares. `basis` is the caller's to close, when
   * run() has ended.
   */
  constructor(
    files: readonly SourceFile[],
    staged: Staged,
    counter: FileCounter,
    basis: Basis | null,
    whole: Checksum | null = null,
  ) {
    this.#sources = new Sources(files, (source) => this.#withoutOne(source));
    const { all, first, several, far } = this.#sources;
    this.#origin = first.origin;
    this.#file = first.file;
    this.#staged = staged;
    this.#counter = counter;
    this.#basis = basis;
    this.#wanted = whole;
    this.#note = first.file.entry.http === undefined ? null : noteOf(staged, files, whole);
    this.plan = planOf(Number(first.file.entry.size), far, basis !== null);
    this.#bringers = several ? new Bringers(this.plan, all) : null;
    if (several) counter.sources = all;
    const pools: ConnectionPool[] = [];
    for (const source of all) pools.push((source.pool = this.#poolOf(source, pools)));
    this.#pools = pools;
    this.#verifier = new Verifier({
      plan: this.plan,
      file: staged,
      digests: (range) => this.#sources.digests(range),
      compared: (index, good) => this.#compared(index, good),
      failed: (error) => this.#fail(error),
    });
  }

  /** Its sources, in the order in which they were named. */
  get sources(): readonly Source[] {
    return this.#sources.all;
  }

  /** Who has brought bytes of chunk `index` in this run, which is forgotten by that. */
  bringersOf(index: number): readonly Source[] {
    return this.#bringers?.take(index) ?? [];
  }

  /** The file in the version that has come: of another source, where the first was left out. */
  get file(): RemoteFile {
    return this.#sources.remaining.file;
  }

  /**
   * Brings what is missing. Rejects with ClientError: "changed" when the file is not that version
   * any more, "corrupt" when a chunk keeps coming bad, "incomplete", "no-connection" or "timed-out"
   * when trying again did not help; or with LocalError.
   */
  async run(): Promise<void> {
    if (this.#note !== null) this.#believe(this.#note);
    else this.#findKept();
    this.#staged.reserve(this.#file.entry.size);
    if (this.plan.complete) return;
    if (this.#note === null) this.#compare(() => this.#checkKept());
    if (this.#basis !== null) this.#reuse(this.#basis);
    for (const pool of this.#pools) pool.start();
    try {
      await this.#over.promise;
    } finally {
      this.#ended = true;
      this.#note?.flush();
      for (const pool of this.#pools) pool.end();
      for (const source of this.#sources.all) source.end();
      await this.#verifier.stop();
      if (this.#basis !== null) await readback.forget(this.#basis);
    }
  }

  // --- internal: what is here already ---

  #findKept(): void {
    const most = this.#basis?.size ?? 0;
    for (let index = 0; index < this.plan.count; index++) {
      const { offset, length } = this.plan.rangeOf(index);
      const kept = this.#staged.hasData(BigInt(offset), BigInt(length));
      if (!kept && offset + length > most) continue;
      this.plan.keep(index);
      (kept ? this.#kept : this.#offered).add(index);
    }
  }

  /** What an earlier run noted of this very version is in place. */
  #believe(note: PartsNote): void {
    for (let index = 0; index < this.plan.count; index++) {
      const range = this.plan.rangeOf(index);
      if (!note.has(range)) continue;
      this.plan.keep(index);
      this.plan.accept(index);
      this.#counter.keep(range.length);
      this.#counter.place(range.length);
    }
  }

  #reuse(basis: Basis): void {
    const refuse = (index: number): void => this.#compared(index, false);
    const reuse = new Reuse(this.plan, basis, this.#staged, this.#verifier, refuse);
    this.#compare(() => reuse.run([...this.#offered], () => this.#ended));
  }

  /** Digests of the next lot are on their way while one lot is read. */
  async #checkKept(): Promise<void> {
    const kept = this.plan.kept().filter((index) => this.#kept.has(index));
    const lot = KEPT_BYTES_AHEAD / this.plan.chunkBytes;
    let asking = this.#verifier.expect(kept.slice(0, lot));
    for (let at = 0; at < kept.length; at += lot) {
      await asking;
      asking = this.#verifier.expect(kept.slice(at + lot, at + 2 * lot));
      // It is awaited in its turn; until then a rejection is not unhandled.
      asking.catch(() => {});
      for (const index of kept.slice(at, at + lot)) {
        if (this.#ended) return;
        await this.#verifier.checkCold(index);
      }
    }
  }

  // --- internal: bytes ---

  #poolOf(source: Source, pools: readonly ConnectionPool[]): ConnectionPool {
    const owner = {
      plan: this.plan,
      pools,
      request: (by: FileConnection, segment: Segment) => this.#request(source, by, segment),
      failed: (error: unknown) => this.#lose(source, error),
    };
    return new ConnectionPool(source.origin, owner, source.retry, this.#counter);
  }

  #request(source: Source, connection: FileConnection, segment: Segment): Promise<unknown> {
    const sink = new RangeSink(this.#staged, segment, socketToFile(), (count) => {
      this.#arrived(source, connection, segment, count);
    });
    const { path, entry } = source.file;
    const reading = connection.client.read(path, sink, {
      offset: BigInt(segment.offset),
      length: BigInt(segment.requested),
      ifEtag: entry.etag,
    });
    // A server that does not keep to `if=`: of a shorter file fewer bytes come than are awaited.
    const done = reading.then(({ etag, size }) => {
      if (etag !== entry.etag || size !== entry.size) throw changed(path);
    });
    // The pool awaits it in its turn; until then a rejection is not unhandled.
    done.catch(() => {});
    return done;
  }

  #arrived(source: Source, connection: FileConnection, segment: Segment, count: number): void {
    const { owed, written } = segment;
    if (written === 0 && owed > 0 && this.#compares) {
      const chunks = this.plan.chunksOf(segment);
      this.#compare(() => this.#verifier.expect(chunks));
    }
    const whole = segment.arrive(count);
    connection.receive(count);
    source.retry.progress();
    this.#counter.receive(count);
    const placed = owed - segment.owed;
    this.#counter.place(placed);
    if (placed > 0) this.#bringers?.mark(source, segment.offset + written, placed);
    for (const index of whole) this.#whole(index);
    // The rest of the answer was taken back: the server stops when its connection is closed.
    if (segment.owed === 0 && segment.length < segment.requested) connection.close();
  }

  #whole(index: number): void {
    const { offset, length } = this.plan.rangeOf(index);
    kernel.startSync(this.#staged.fd, BigInt(offset), length);
    this.#note?.add({ offset, length });
    if (this.#compares) this.#verifier.check(index);
    else this.#accept(index);
  }

  // --- internal: comparing ---

  /**
   * Chunks of several servers always are, also where the first is known to tell no digests; but for
   * those of whom the whole is compared.
   */
  get #compares(): boolean {
    if (this.#wanted !== null) return false;
    return this.#sources.several || this.#origin.verifies;
  }

  #compared(index: number, good: boolean): void {
    if (this.#ended) return;
    const { length } = this.plan.rangeOf(index);
    const kept = this.#kept.delete(index);
    const offered = this.#offered.delete(index);
    const here = kept || offered;
    if (!good) {
      this.plan.refuse(index);
      if (!here) this.#refetch(index, length);
      this.#notify();
      return;
    }
    this.#counter.verify(length);
    if (kept) this.#counter.keep(length);
    if (offered) this.#counter.reuse(length);
    if (here) this.#counter.place(length);
    this.#accept(index);
  }

  #accept(index: number): void {
    this.plan.accept(index);
    if (!this.#sources.several) this.#sources.first.retry.progress();
    if (this.plan.complete) this.#over.resolve();
  }

  #refetch(index: number, length: number): void {
    this.#counter.place(-length);
    const bytes = `bytes ${index * this.plan.chunkBytes} on`;
    if (this.#bringers !== null && this.#blames(this.#bringers.take(index), bytes)) return;
    const times = (this.#bad.get(index) ?? 0) + 1;
    this.#bad.set(index, times);
    const where = `${printable(this.#file.path)}: ${bytes}`;
    this.#origin.options.note(`${where} arrived wrong, fetched again`);
    // Each source but the last may have had its part in it before it is left out.
    if (times < BAD_MAX + this.#sources.all.length - 1) return;
    const text = `EIO: ${where} arrived wrong ${times} times: the server sends other bytes than it hashes`;
    this.#fail(new ClientError("corrupt", "EIO", text));
  }

  /**
   * What came from one of several sources alone was wrong, and it is left out; or from one that was
   * left out before. False: it can't be told who sent it, or there is no other source.
   */
  #blames(bringers: readonly Source[], bytes: string): boolean {
    if (bringers.some(({ left }) => left)) return true;
    const [only, ...others] = bringers;
    if (only === undefined || others.length > 0) return false;
    return this.#sources.leaveOut(only, `it sent wrong ${bytes}`);
  }

  // --- internal: ends ---

  /** Something is missing again. */
  #notify(): void {
    for (const pool of this.#pools) pool.notify();
  }

  /** Trying again on `source` did not help: the others go on, or the download has failed. */
  #lose(source: Source, error: unknown): void {
    if (this.#ended) return;
    if (isServers(error) && this.#sources.leaveOut(source, error.message)) return;
    this.#fail(error);
  }

  #withoutOne(source: Source): void {
    source.pool?.drop();
    this.#notify();
  }

  /** Runs what asks for digests, which a server may not have; its failure is the download's. */
  #compare(action: () => Promise<void>): void {
    action().catch((error: unknown) => {
      const none = error instanceof ClientError && error.code === "ENOSYS";
      // What several servers sent is not put into one file uncompared.
      if (none && !this.#sources.several) this.#goUnverified();
      else this.#fail(error);
    });
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#over.reject(error);
  }

  /** A server that has no HASH: what an earlier run left can't be believed, what comes must be. */
  #goUnverified(): void {
    this.#origin.cannotVerify();
    for (const index of [...this.#kept, ...this.#offered]) this.plan.refuse(index);
    this.#kept.clear();
    this.#offered.clear();
    for (const index of this.plan.arrived()) this.#accept(index);
    this.#notify();
  }
}

// --- internal ---

function noteOf(staged: Staged, files: readonly SourceFile[], whole: Checksum | null): PartsNote {
  const versions = files.map(({ origin, file }) => versionIn(origin.server, file));
  const [first = ""] = versions;
  const size = files[0]?.file.entry.size ?? 0n;
  if (whole === null || files.length === 1) return new PartsNote(staged, size, first);
  // What one of them has brought alone, as they tell now, is a part of the same content.
  return new PartsNote(staged, size, contentIn(whole, size), versions);
}

function planOf(size: number, far: boolean, reuses: boolean): Plan {
  let chunkBytes = far ? CHUNK_BYTES_FAR : CHUNK_BYTES_DEFAULT;
  if (reuses) chunkBytes = CHUNK_BYTES_REUSED;
  while (chunkBytes < CHUNK_BYTES_DEFAULT && size > chunkBytes * CHUNKS_MAX) chunkBytes *= 2;
  return new Plan(size, chunkBytes);
}
