/**
 * Digests of files. Those of small contents are computed at once; all others by one thread, which
 * is started when it is needed and ended when it is idle. Equal questions are one job. Peers take
 * turns portion by portion. Of the jobs of one peer the one with least left goes first, so that a
 * short one is done soon however many long ones there are. What was computed of a version is kept
 * for a while.
 *
 * It never calls a waiter from inside digests(), and answers digests of one version only: after
 * each portion the file is looked at again.
 */
import { FairQueue } from "../guard/fairqueue.ts";
import { Shares } from "../guard/shares.ts";
import { clock, tick } from "../sys/clock.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { Refusal } from "../wire/errors.ts";
import { readFully } from "../sys/shortcount.ts";
import { digestLines } from "../digest/digest.ts";
import { DigestCache } from "./digest-cache.ts";
import { DigestJob, jobKey } from "./digest-job.ts";
import { DigestThread, type ThreadOwner } from "../digest/thread.ts";
import type { Portion, PortionAnswer } from "../digest/worker.ts";
import { bringBytes } from "./brought.ts";
import { refusalOf } from "./refusal.ts";
import {
  type DigestRange,
  type OpenFile,
  SMALL_BYTES_MAX,
  type Source,
  type Waiter,
} from "./store.ts";
import { bufferOf } from "../wire/bytes.ts";

/**
 * Units of jobs at once, one for a job and one more for each 16 KiB of its reply: 2,048 small jobs,
 * or 120 of the largest with 31 MiB of replies. Each keeps a file open, of those that the store may
 * have. When it is full, the newest job of the peer that holds most gives way to a peer with less.
 */
export const JOB_UNITS_MAX = 2048;

/**
 * Units of one peer; over it EBUSY. A download has one question on its way, so this is an address
 * with hundreds of them.
 */
export const PEER_JOB_UNITS_MAX = 256;

/** Portions at the thread: one that it works on, one so that it need not wait for the next. */
const PORTIONS_SENT_MAX = 2;

/**
 * Most digests computed at once, of a held content: 64 KiB of xxh3 take 5 us, of sha256 60, so that
 * small files cost no thread. Thousands of tiny chunks would take milliseconds.
 */
const INLINE_DIGESTS_MAX = 64;

/** Bytes digested on the loop that cost a turn as much as a usual request: 5 to 10 us. */
const BYTES_PER_REQUEST = { xxh3: 65_536, sha256: 8192 } as const;

/** Digests that are looked up or copied in as long as a usual request takes: about 1 us. */
const LINES_PER_REQUEST = 32;

/** The thread ends when nobody has needed it for so long, in milliseconds. */
const IDLE_MS = 10_000;

/**
 * Portions of files without a descriptor that are brought or at the thread, one of a job: 16 MiB of
 * memory, and 64 where chunks are as large as they may be.
 */
const PORTIONS_BROUGHT_MAX = 4;

/**
 * Portions that were brought into memory and are no larger are digested where they are: 0.1 ms at
 * most, which a thread and a copy for it would cost as well. In bytes.
 */
const BROUGHT_INLINE_BYTES_MAX = { xxh3: 1_048_576, sha256: 65_536 } as const;

/** So many places in the queue of turns are never looked through for jobs that are over. */
const TURNS_MIN = 256;

/** A portion at the thread. */
interface Sent {
  readonly job: DigestJob;
  readonly portion: Portion;
}

/** What a store computes digests with. */
export class Digester implements ThreadOwner {
  readonly cache = new DigestCache();
  /** Portions given to the thread so far. */
  portions = 0;
  /** By what they are asked, the oldest first. */
  readonly #jobs = new Map<string, DigestJob>();
  /** Jobs that want a turn, once for each peer that waits for one; also such as are over by now. */
  readonly #turns = new FairQueue<DigestJob>(({ over, left }) => (over ? 0 : left));
  readonly #shares = new Shares(JOB_UNITS_MAX, PEER_JOB_UNITS_MAX);
  #sent: Sent[] = [];
  /** Portions that are on their way into memory. */
  #bringing = 0;
  #thread: DigestThread | null = null;
  #jobId = 0;
  #usedAt = 0;

  /** Jobs that somebody waits for, or that nobody has noticed to be unwanted. */
  get jobs(): number {
    return this.#jobs.size;
  }

  /** Places in the queue of turns, those of jobs that are over included. */
  get waiting(): number {
    return this.#turns.size;
  }

  /** The thread while there is one. */
  get thread(): DigestThread | null {
    return this.#thread;
  }

  /** As Store.digests. */
  digests(file: OpenFile, range: DigestRange, waiter: Waiter): Uint8Array | Refusal | null {
    const { length, chunk } = range;
    waiter.charge(Math.ceil(length / chunk) / LINES_PER_REQUEST);
    const bytes = length <= chunk * INLINE_DIGESTS_MAX ? atHand(file, range) : null;
    if (bytes !== null) {
      waiter.charge(length / BYTES_PER_REQUEST[range.algo]);
      return bufferOf(digestLines(range.algo, bytes, chunk));
    }
    const key = jobKey(file, range);
    const kept = this.cache.reply(key);
    if (kept !== undefined) return kept;
    const { peer } = waiter;
    const same = this.#jobs.get(key);
    if (same !== undefined) {
      if (same.join(waiter) && same.wants) this.#turns.add(peer, same);
      return null;
    }
    const job = new DigestJob(++this.#jobId, peer, file, range, this.cache);
    if (job.complete) return this.#kept(job);
    if (!this.#admit(job)) return new Refusal("EBUSY", "too many files are being hashed");
    job.join(waiter);
    file.retain();
    this.#jobs.set(key, job);
    // Not past those who wait for a turn: a pipeline asks again while its last answer is delivered,
    // before the thread's free place has been given away. Whoever waits is fed by the next answer.
    const idle = this.#turns.size === 0;
    while (idle && this.#hasRoom && job.wants) this.#send(job);
    if (job.wants) this.#turns.add(peer, job);
    return null;
  }

  /** As Store.knownDigests. */
  known(file: OpenFile, range: DigestRange): Uint8Array | null {
    return this.cache.reply(jobKey(file, range)) ?? null;
  }

  /** Ends jobs that nobody waits for any more, and a thread that is idle. About once a second. */
  sweep(): void {
    for (const job of [...this.#jobs.values()]) if (!job.wanted) this.#finish(job);
    // Where the disk hangs nobody's turn comes.
    const most = Math.max(TURNS_MIN, 2 * this.#jobs.size);
    if (this.#turns.size > most) this.#turns.sift(({ over }) => !over);
    // A job without a portion at the thread may have the beginning of a chunk there, while the next
    // bytes are brought: another thread would take those for the whole.
    if (this.#jobs.size > 0 || this.#sent.length > 0) return;
    if (clock.now - this.#usedAt <= IDLE_MS) return;
    this.#thread?.end();
    this.#thread = null;
  }

  /** Drops all jobs; nobody is called. Files the thread is reading close when it has ended. */
  close(): void {
    for (const job of [...this.#jobs.values()]) this.#finish(job);
    this.#turns.clear();
    this.cache.clear();
    this.#thread?.end();
  }

  answered(answer: PortionAnswer): void {
    const sent = this.#sent.shift();
    if (sent === undefined) throw new Error("an answer that nobody asked for");
    const { job, portion } = sent;
    job.pending -= 1;
    this.#usedAt = tick();
    if (job.over) this.#letGo(job);
    else this.#take(job, portion, answer);
    this.#feed();
  }

  ended(thread: DigestThread): void {
    if (thread !== this.#thread) return;
    this.#thread = null;
    const lost = this.#sent;
    this.#sent = [];
    for (const { job } of lost) {
      job.pending -= 1;
      if (job.over) this.#letGo(job);
      else this.#finish(job, refusalOf(-ERRNO.EIO, ""));
    }
    // What another thread would have to begin again in the middle is lost as well.
    for (const job of [...this.#jobs.values()]) {
      if (job.begun) this.#finish(job, refusalOf(-ERRNO.EIO, ""));
    }
    this.#feed();
  }

  // --- internal ---

  #take(job: DigestJob, portion: Portion, answer: PortionAnswer): void {
    // Also when it could not be read: a file that was cut has no such bytes any more.
    if (job.file.revalidate() !== "same") {
      job.file.expire();
      this.#finish(job, EDITED);
      return;
    }
    if (typeof answer === "number") {
      this.#finish(job, refusalOf(answer, ""));
      return;
    }
    job.take(portion, answer);
    if (job.complete) this.#finish(job, this.#kept(job));
  }

  /** Its whole reply, kept for who asks the same again. */
  #kept(job: DigestJob): Uint8Array {
    if (job.keeps) this.cache.putReply(job.key, job.text, job.since);
    return job.text;
  }

  /** Charges `job` to its peer, if need be in place of a job of the peer that holds most. */
  #admit({ peer, units }: DigestJob): boolean {
    while (!this.#shares.take(peer, units)) {
      const largest = this.#shares.largest();
      const over = !this.#shares.fits(peer, units);
      if (over || this.#shares.of(largest) <= this.#shares.of(peer) + units) return false;
      // Its newest; one that others have joined stays for them.
      const loser = [...this.#jobs.values()].findLast(
        (job) => job.peer === largest && job.isPrivate,
      );
      if (loser === undefined) return false;
      queueMicrotask(() => loser.answer(new Refusal("EBUSY", "another address has had less")));
      this.#finish(loser);
    }
    return true;
  }

  /** Of a store without descriptors only few portions are on their way at the same time. */
  get #hasRoom(): boolean {
    if (this.#bringing > 0) return this.#sent.length + this.#bringing < PORTIONS_BROUGHT_MAX;
    return this.#sent.length < PORTIONS_SENT_MAX;
  }

  /** Gives the thread what it can take. */
  #feed(): void {
    while (this.#hasRoom) {
      const place = this.#turns.take();
      if (place === undefined) return;
      const { peer, item: job } = place;
      if (job.over || !job.wanted) {
        if (!job.over) this.#finish(job);
        continue;
      }
      job.catchUp();
      if (job.complete) this.#finish(job, this.#kept(job));
      else if (job.wants) {
        this.#send(job);
        if (job.wants) this.#turns.add(peer, job);
      }
    }
  }

  #send(job: DigestJob): void {
    const portion = job.next();
    if (job.file.source !== null) this.#bring(job, job.file.source, portion);
    else this.#give(job, portion, portion);
  }

  /** Has `portion` brought into memory first; until it is there the job wants nothing more. */
  #bring(job: DigestJob, source: Source, portion: Portion): void {
    const bytes = Buffer.allocUnsafeSlow(portion.count);
    this.#bringing += 1;
    job.stop = bringBytes(source, portion.at, bytes, job.peer, (failed) => {
      job.stop = null;
      this.#bringing -= 1;
      const { algo, chunk, count, piece } = portion;
      if (failed === null && piece === "whole" && count <= BROUGHT_INLINE_BYTES_MAX[algo]) {
        job.pending -= 1;
        this.#take(job, portion, digestLines(algo, bytes, chunk));
        if (job.wants) this.#turns.add(job.peer, job);
      } else if (failed === null) {
        this.#give(job, portion, { ...portion, source: bytes, at: 0n });
        if (job.wants) this.#turns.add(job.peer, job);
      } else {
        job.pending -= 1;
        if (failed === "changed") job.file.expire();
        this.#finish(job, failed === "changed" ? EDITED : UNBROUGHT);
      }
      this.#feed();
    });
  }

  /** `given` is `portion` as the thread can read it. */
  #give(job: DigestJob, portion: Portion, given: Portion): void {
    this.#thread ??= new DigestThread(this);
    this.#sent.push({ job, portion });
    this.portions += 1;
    this.#thread.send(given);
  }

  /** Nothing more is done for `job`; who waits is told `result`, if there is one. */
  #finish(job: DigestJob, result?: Uint8Array | Refusal): void {
    this.#jobs.delete(job.key);
    this.#shares.give(job.peer, job.units);
    if (job.begun) this.#thread?.send({ dropped: job.id });
    job.over = true;
    if (job.stop !== null) {
      job.stop();
      job.stop = null;
      job.pending -= 1;
      this.#bringing -= 1;
    }
    this.#letGo(job);
    if (result !== undefined) job.answer(result);
  }

  /** Lets go of the file when the thread has. */
  #letGo(job: DigestJob): void {
    if (job.pending === 0) job.file.release();
  }
}

const EDITED = new Refusal("ESTALE", "it was edited while it was hashed");
const UNBROUGHT = new Refusal("EBUSY", "the store stopped while it was hashed");

/** What small contents are read into; made by the first. */
let scratch: Buffer | null = null;

/**
 * The bytes of `range` where they are few and in memory, valid until the next call; null: the
 * thread has to read them.
 */
function atHand(file: OpenFile, { start, length }: DigestRange): Uint8Array | null {
  if (length === 0) return EMPTY;
  if (file.body !== null) return file.body.subarray(Number(start), Number(start) + length);
  if (length > SMALL_BYTES_MAX || file.fd < 0) return null;
  const at = file.base + start;
  // Of a larger file it may be another part that was seen in memory.
  const warm = file.entry.size <= SMALL_BYTES_MAX && file.residentUntil > clock.now;
  if (!warm && kernel.resident(file.fd, at, length) === 0) return null;
  scratch ??= Buffer.allocUnsafeSlow(SMALL_BYTES_MAX);
  const bytes = scratch.subarray(0, length);
  const whole = readFully(file.fd, bytes, length, at) === length;
  // The thread meets the same, and knows what to answer.
  return whole && file.revalidate() === "same" ? bytes : null;
}

const EMPTY = new Uint8Array(0);
