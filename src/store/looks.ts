/**
 * What the loop would wait for the disk for is looked at by a thread (lookworker.ts), which is
 * started when it is needed and ended when it is idle. Peers take turns. Who waits for a turn holds
 * nothing, and is asked what it needs when its turn comes: that may be in memory by then.
 *
 * It never calls a job from inside add(), owns the root's descriptor from close() on, and keeps it
 * open until the thread has let go of it.
 */
import { FairQueue } from "../guard/fairqueue.ts";
import { clock, tick } from "../sys/clock.ts";
import { ERRNO } from "../sys/errno.ts";
import type { LookAnswer, LookAsked } from "./look.ts";
import { type LookOwner, type LookThread, lookThreads } from "./lookthread.ts";
import type { Root } from "./root.ts";

/**
 * Questions at the thread: one that it works on, one so that it need not wait for the next. More
 * would stand in front of a peer that comes later.
 */
export const LOOKS_SENT_MAX = 2;

/** Jobs begun in one event, so that a thousand who wanted the same name are no stall themselves. */
const BEGUN_PER_ROUND = 64;

/** So many waiting are never looked through for those that have left. */
const WAITING_MIN = 256;

/**
 * The thread ends when nobody has needed it for so long, in milliseconds: its start makes the next
 * one wait for 10 ms, and the names that nobody has make it needed now and then.
 */
const IDLE_MS = 60_000;

/** One thing that is wanted from the disk. */
export interface LookJob {
  /** Whose turn it uses. */
  readonly peer: string;
  /** Nobody wants it any more: it is dropped. */
  readonly gone: boolean;
  /**
   * What to ask now; null: nothing any more, and whoever waited was answered. `waited` is false
   * within add(), where nobody may be.
   */
  ask(waited: boolean): LookAsked | null;
  /** The answer, which may have a descriptor: the job's from now on, also when it is gone. */
  answered(answer: LookAnswer): void;
  /** An error of ours on the way: nothing else will come. */
  crash(error: unknown): void;
}

/** The queue. Bounded by the number of connections and of pages: each waits for one look. */
export class Looks implements LookOwner {
  readonly #root: Root;
  readonly #waiting = new FairQueue<LookJob>();
  /** So long the queue may get before those who have left are taken out of it. */
  #waitingMax = WAITING_MIN;
  #sent: LookJob[] = [];
  #thread: LookThread | null = null;
  #usedAt = 0;
  #armed = false;
  #closed = false;
  readonly #round = (): void => this.#feed();

  constructor(root: Root) {
    this.#root = root;
  }

  /** Jobs in the queue, those that have left without being noticed included. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** True while there is a thread. */
  get running(): boolean {
    return this.#thread !== null;
  }

  /** `job` is answered later, unless it is gone by then. */
  add(job: LookJob): void {
    if (this.#closed) return;
    // Who was answered just now and asks for more comes behind those who wait.
    if (this.#sent.length < LOOKS_SENT_MAX && this.#waiting.size === 0) {
      const asked = job.ask(false);
      if (asked !== null) this.#send(job, asked);
      return;
    }
    if (this.#waiting.size >= this.#waitingMax) this.#forgetGone();
    this.#waiting.add(job.peer, job);
  }

  /** Ends a thread that is idle. About once a second. */
  sweep(): void {
    if (this.#thread === null || this.#sent.length > 0) return;
    if (clock.now - this.#usedAt > IDLE_MS) this.#end();
  }

  /** Asks nothing more, and closes the root once the thread has answered what it was asked. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.clear();
    if (this.#sent.length === 0) this.#end();
  }

  answered(answer: LookAnswer): void {
    tick();
    const job = this.#sent.shift();
    if (job === undefined) throw new Error("an answer that nobody asked for");
    this.#usedAt = clock.now;
    this.#tell(job, answer);
    if (!this.#closed) this.#feed();
    else if (this.#sent.length === 0) this.#end();
  }

  ended(thread: LookThread): void {
    if (thread !== this.#thread) return;
    this.#thread = null;
    const lost = this.#sent;
    this.#sent = [];
    for (const job of lost) this.#tell(job, -ERRNO.EIO);
    if (this.#closed) this.#end();
    else this.#feed();
  }

  // --- internal ---

  #tell(job: LookJob, answer: LookAnswer): void {
    try {
      job.answered(answer);
    } catch (error) {
      // Nobody above would catch it: it costs this client, not the server.
      job.crash(error);
    }
  }

  #send(job: LookJob, asked: LookAsked): void {
    this.#thread ??= lookThreads.start(this, this.#root.parts);
    this.#sent.push(job);
    this.#thread.send(asked);
  }

  #feed(): void {
    this.#armed = false;
    for (let begun = 0; this.#sent.length < LOOKS_SENT_MAX; begun++) {
      if (begun === BEGUN_PER_ROUND) {
        this.#arm();
        return;
      }
      const job = this.#waiting.take()?.item;
      if (job === undefined) return;
      if (!job.gone) this.#begin(job);
    }
  }

  #begin(job: LookJob): void {
    try {
      const asked = job.ask(true);
      if (asked !== null) this.#send(job, asked);
    } catch (error) {
      // As in #tell().
      job.crash(error);
    }
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#round);
  }

  /** No thread, and after close() no root. */
  #end(): void {
    this.#thread?.end();
    this.#thread = null;
    if (this.#closed) this.#root.close();
  }

  /** A disk that hangs must not gather those who came, asked and left. */
  #forgetGone(): void {
    this.#waiting.sift((job) => !job.gone);
    this.#waitingMax = Math.max(WAITING_MIN, 2 * this.#waiting.size);
  }
}
