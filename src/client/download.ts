/**
 * One file, of one version, into a staged file: over as many connections as pay, each byte from
 * whichever gets to it, each chunk compared before it counts. It owns the plan, the parts and the
 * verifier of that file; it does not publish and does not start over.
 *
 * Invariant: it resolves only when every chunk of the plan is good; however it ends, what is on the
 * disk is a start for the next run.
 */
import type { Staged } from "../destination/staged.ts";
import { type Conduit, openConduit } from "../flow/conduit.ts";
import { RangeSink } from "../flow/rangesink.ts";
import { kernel } from "../sys/kernel.ts";
import { EXIT } from "../wire/errors.ts";
import { printable } from "../wire/printable.ts";
import { ClientError } from "./error.ts";
import type { Origin, RemoteFile } from "./origin.ts";
import { Part, type Unit, UNITS_AHEAD } from "./part.ts";
import { Plan, type Range } from "./plan.ts";
import { passes, Retry } from "./retry.ts";
import type { FileTally, Tally } from "./tally.ts";
import { Tuner } from "./tuner.ts";
import { changed, Verifier } from "./verifier.ts";

/** How often the speed is looked at: at least, and in round trips. Milliseconds. */
const LOOK_MS_MIN = 250;
const LOOK_MS_MAX = 2000;
const LOOK_TRIPS = 10;

/** A chunk that comes bad so often is not sent right by this server. */
const BAD_MAX = 3;

/** A slow part's work is taken over when it would take longer than this. */
const STEAL_MS = 1000;

/** One for all files: it holds a pipe, and between two calls nothing. */
let conduit: Conduit | null | undefined;

/** Brings one file. */
export class Download {
  readonly plan: Plan;
  readonly #origin: Origin;
  readonly #file: RemoteFile;
  readonly #staged: Staged;
  readonly #tally: Tally;
  readonly #own: FileTally;
  readonly #verifier: Verifier;
  readonly #retry: Retry;
  readonly #tuner: Tuner;
  readonly #parts = new Set<Part>();
  readonly #bad = new Map<number, number>();
  readonly #over = Promise.withResolvers<void>();
  /** Chunks of an earlier run that are still to be compared. */
  readonly #suspects = new Set<number>();
  #settled = false;
  /** Connections there should be. */
  #wanted = 1;
  /** Parts without work wait for this. */
  #work = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | null = null;
  #seen = 0;
  #seenAt = performance.now();

  constructor(origin: Origin, file: RemoteFile, staged: Staged, tally: Tally, own: FileTally) {
    this.#origin = origin;
    this.#file = file;
    this.#staged = staged;
    this.#tally = tally;
    this.#own = own;
    this.plan = new Plan(Number(file.entry.size));
    this.#tuner = new Tuner(origin.options.connections);
    this.#retry = new Retry(origin.options.retries, origin.options.waited);
    this.#verifier = new Verifier({
      path: file.path,
      etag: file.entry.etag,
      plan: this.plan,
      file: staged,
      ask: (request) => this.#retry.reach(() => origin.link.ask(request)),
      judged: (index, good) => this.#judged(index, good),
    });
  }

  /**
   * Brings what is missing. Rejects with ClientError: 6 when the file is not that version any more,
   * 8 when a chunk keeps coming bad, 5, 7 or 10 when trying again did not help; or with LocalError.
   */
  async run(): Promise<void> {
    conduit ??= openConduit();
    this.#findKept();
    this.#staged.reserve(this.#file.entry.size);
    if (this.plan.complete) return;
    const looking = setTimeout(() => this.#look(), LOOK_MS_MIN);
    this.#timer = looking;
    this.#compare(() => this.#checkKept());
    this.#hire();
    try {
      await this.#over.promise;
    } finally {
      this.#settled = true;
      if (this.#timer !== null) clearTimeout(this.#timer);
      for (const part of this.#parts) this.#origin.giveBack(part.client);
      this.#parts.clear();
      this.#own.connections = 0;
      this.#wake();
      await this.#verifier.quiet();
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

  async #checkKept(): Promise<void> {
    for (const index of this.plan.kept()) {
      if (this.#settled) return;
      await this.#verifier.expect(index, index);
      if (this.#settled) return;
      await this.#verifier.checkCold(index);
    }
  }

  // --- internal: parts ---

  /** Another connection. */
  #hire(): void {
    this.#start(async () => {
      const client = await this.#retry.reach(() => this.#origin.take());
      if (this.#settled) {
        this.#origin.giveBack(client);
        return;
      }
      const part = new Part(client);
      this.#parts.add(part);
      this.#own.connections = this.#parts.size;
      await this.#serve(part);
    });
  }

  async #serve(part: Part): Promise<void> {
    try {
      await this.#feed(part);
      this.#leave(part);
    } catch (error) {
      this.#leave(part);
      if (this.#settled || part.dismissed || (part.retired && passes(error))) return;
      await this.#retry.after(error);
      if (!this.#settled && this.#parts.size < this.#wanted) this.#hire();
    }
  }

  async #feed(part: Part): Promise<void> {
    while (!this.#settled) {
      while (!part.retired && part.units.length < UNITS_AHEAD) {
        const range = this.plan.take(part.portion(this.plan.missing, this.#parts.size));
        if (range === null) break;
        part.units.push(this.#begin(part, range));
      }
      const [unit] = part.units;
      if (unit !== undefined) {
        await unit.done;
        part.units.shift();
      } else if (part.retired || !this.#steal()) {
        if (part.retired) return;
        await this.#work.promise;
      }
    }
  }

  #leave(part: Part): void {
    for (const { range, sink, length } of part.units) {
      if (sink.written < length) this.plan.giveBack({ ...range, length }, sink.written);
    }
    part.units.length = 0;
    // At the end run() has given all of them back: twice would lend one connection to two.
    if (!this.#parts.delete(part)) return;
    this.#own.connections = this.#parts.size;
    this.#origin.giveBack(part.client);
    this.#wake();
  }

  #begin(part: Part, range: Range): Unit {
    const sink = new RangeSink(this.#staged, range.offset, conduit ?? null, (count) => {
      this.#arrived(part, unit, count);
    });
    const { path, entry } = this.#file;
    const reading = part.client.read(Buffer.from(path, "latin1"), {
      offset: range.offset,
      length: range.length,
      ifEtag: entry.etag,
      sink,
    });
    // A server that does not keep to `if=`: of a shorter file fewer bytes come than are awaited.
    const done = reading.then(({ etag, size }) => {
      if (etag !== entry.etag || size !== entry.size) throw changed(path);
    });
    const unit: Unit = { range, sink, done, length: range.length };
    // Awaited in its turn; until then a failure is not an accident.
    done.catch(() => {});
    return unit;
  }

  #arrived(part: Part, unit: Unit, count: number): void {
    const after = unit.sink.written;
    if (after === count && this.#origin.verifies) {
      const first = this.plan.chunkOf(unit.range.offset);
      const last = this.plan.chunkOf(unit.range.offset + unit.range.length - 1);
      this.#compare(() => this.#verifier.expect(first, last));
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

  /** Takes work from the part that would take longest; true when there is some now. */
  #steal(): boolean {
    let slowest: Part | null = null;
    for (const part of this.#parts) {
      if (part.retired || part.owed < (slowest?.owed ?? 1)) continue;
      slowest = part;
    }
    if (slowest === null || slowest.owed < slowest.rate * STEAL_MS) return false;
    const cut = slowest.cut(this.plan.chunkBytes);
    if (cut === null) return false;
    const { unit, keeps } = cut;
    unit.length = keeps;
    unit.sink.limit = keeps;
    this.plan.giveBack(unit.range, keeps);
    slowest.retired = true;
    return true;
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
    this.#wake();
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
    this.#fail(new ClientError(EXIT.corrupt, "EIO", text));
  }

  // --- internal: speed ---

  #look(): void {
    const now = performance.now();
    const rate = ((this.#own.received - this.#seen) * 1000) / Math.max(1, now - this.#seenAt);
    this.#seen = this.#own.received;
    this.#seenAt = now;
    const left = this.plan.size - this.#own.arrived;
    const before = this.#wanted;
    this.#wanted = this.#tuner.next(this.#wanted, rate, left);
    for (let count = before; count < this.#wanted; count++) this.#hire();
    let surplus = before - this.#wanted;
    for (const part of this.#parts) if (surplus-- > 0) part.retired = true;
    const everyMs = Math.min(LOOK_MS_MAX, this.#origin.tripMs * LOOK_TRIPS);
    this.#timer = setTimeout(() => this.#look(), Math.max(LOOK_MS_MIN, everyMs));
  }

  // --- internal: ends ---

  /** Runs `action` beside the others; its failure is the download's. */
  #start(action: () => Promise<void>): void {
    action().catch((error: unknown) => this.#fail(error));
  }

  /** The same for what asks for digests, which a server may not have. */
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
    this.#wake();
  }

  /** A server that has no HASH: what an earlier run left can't be believed, what comes must be. */
  #goUnverified(): void {
    this.#origin.cannotVerify();
    for (const index of this.#suspects) this.plan.refuse(index);
    this.#suspects.clear();
    for (const index of this.plan.unjudged()) this.#accept(index);
    this.#wake();
  }

  #wake(): void {
    this.#work.resolve();
    this.#work = Promise.withResolvers<void>();
  }
}
