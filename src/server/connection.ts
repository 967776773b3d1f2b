/**
 * One connection as one explicit state: what it waits for (state.ts). Every event only notes what
 * came and calls #run(), which does the next thing until it has to wait again.
 *
 *   socket -> Receiver -> line -> door -> store
 *                                  |        |   now, or later by opened(), listed(), digested()
 *   socket <- Sender  <-------- reply <-----+
 *
 * It owns the socket; its Receiver owns what is not answered, its Sender what is not out yet. It
 * knows no dialect (doors do) and no path (stores do). Invariant: whenever it returns to the loop
 * the shared outbox is empty, and either something is awaited that will come, or a deadline of the
 * sweep ends it.
 */
import { peerOf, shownAddress } from "../guard/address.ts";
import { COST_LATE_MAX } from "../guard/limits.ts";
import { type Awaiter, STEP_BYTES } from "../send/transfer.ts";
import type { Turn } from "../send/turns.ts";
import type { EncodedPage, OpenFile, Waiter } from "../store/store.ts";
import { clock, tick } from "../sys/clock.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { dialectOf, isFramedStart, isTlsStart } from "../wire/dialect.ts";
import { Refusal } from "../wire/errors.ts";
import { LINE_BYTES_MAX } from "../wire/vocabulary.ts";
import { type Job, jobOf, logLineOf } from "./job.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import type { Door, Service } from "./service.ts";
import { probe } from "./probe.ts";
import { CLOSED, LINGER, REQUEST, SENDING, SILENCE, type State, type StoreState } from "./state.ts";
import type { ByteString } from "../wire/bytes.ts";

/** A client's connection, from accept to close. */
export class Connection implements Turn, Waiter, Awaiter {
  #state: State = REQUEST;
  door: Door | null = null;
  readonly socket: StreamSocket;
  readonly service: Service;

  readonly #receiver: Receiver;
  readonly #sender: Sender;
  /** The request whose file is on its way. */
  #job: Job | null = null;

  // Turns and limits.
  queued = false;
  gone = false;
  /** What this turn has cost so far, in usual requests. */
  #cost = 0;
  /** Requests read. */
  asked = 0;
  /** Requests read when the present wait began. */
  #rested = 0;
  /** When the present wait for a request began, in clock.now's milliseconds. */
  since: number = clock.now;
  /** When the peer last took enough of what it asked for, or 0 while it owes nothing. */
  progressAt = 0;
  /** Bytes it had acknowledged then. */
  progress = 0;
  #stopping = false;

  /** `address` is the peer's, kept because a closed socket has forgotten it. */
  readonly address: string;
  /** Whose share it uses. */
  readonly peer: string;

  constructor(socket: StreamSocket, service: Service) {
    this.socket = socket;
    this.service = service;
    this.address = socket.remoteAddress ?? "";
    this.peer = peerOf(this.address);
    this.#receiver = new Receiver(socket);
    this.#sender = new Sender(socket, service.outbox, this);
  }

  // --- events ---

  /** Bytes came; `chunk` is ours from now on. */
  data(chunk: Buffer): void {
    tick();
    if (this.#receiver.last) {
      const leftover = this.#receiver.discard(chunk, this.#state !== LINGER);
      if (leftover !== "junk") this.terminate();
      return;
    }
    if (this.backlog === 0 && this.asked > 0) this.since = clock.now;
    this.#receiver.push(chunk);
    if (this.#state === REQUEST || this.#state === SILENCE) this.#run();
    // Also when it has just run: what it left is enough to go on with.
    this.#receiver.holdBack();
  }

  /** The socket has room again. Also called without cause (oven-sh/bun#37099). */
  drain(): void {
    const { awaits } = this.#state;
    if (awaits !== "room" && awaits !== "store") return;
    tick();
    this.#sender.drain();
    if (awaits === "room" && this.service.turns.late) this.#await("turn");
    else this.#run();
  }

  /** FIN: no more bytes come. What was asked for is still served to the end. */
  end(): void {
    tick();
    this.#receiver.fin = true;
    const state = this.#state;
    if (state === REQUEST || state === SILENCE) this.#run();
    else if (state.awaits === "store") this.#run(() => probe(state));
  }

  /**
   * For the sweep. A peer that has asked for more than can wait is not read, so that its FIN is not
   * seen while the store works for it: it is asked as if it had come.
   */
  probePaused(): void {
    const state = this.#state;
    if (state.awaits === "store" && this.#receiver.paused) this.#run(() => probe(state));
  }

  /** Its turn. */
  turn(): void {
    if (this.#state === SENDING.turn) this.#goOn();
  }

  /** The bytes that the transfer waited for are in memory. */
  windowReady(): void {
    if (this.#state === SENDING.window) this.#goOn();
  }

  /** 200 ms of silence behind a path without LF. */
  silent(): void {
    if (this.#state !== SILENCE) return;
    this.#receiver.endedBySilence = true;
    this.#run();
  }

  opened(file: OpenFile | Refusal): void {
    const state = this.#state;
    if (state.awaits === "store" && state.asked === "file") this.#goOn(() => state.then(file));
  }

  listed(page: EncodedPage | Refusal): void {
    const state = this.#state;
    if (state.awaits === "store" && state.asked === "page") this.#goOn(() => state.then(page));
  }

  digested(lines: Uint8Array | Refusal): void {
    const state = this.#state;
    if (state.awaits === "store" && state.asked === "digests") this.#goOn(() => state.then(lines));
  }

  /** The socket is closed, by whomever. */
  closed(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.gone = true;
    this.service.silence.forget(this);
    const owed = this.#sender.close();
    if (this.#job !== null) this.record(this.#job, "RESET", Math.max(0, this.#job.length - owed));
    this.#job = null;
    this.#receiver.close();
    this.service.ended(this);
  }

  /** An error of ours: this peer gets RST, the others notice nothing. */
  crash(error: unknown): void {
    this.service.counters.crashes += 1;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const from = shownAddress(this.address);
    this.service.log.fault(`internal error, connection from ${from} reset`, text);
    this.terminate();
  }

  // --- for doors ---

  /** Sends text, as UTF-8: at most one reply's head. */
  sendText(text: string): void {
    this.#sender.text(text);
  }

  /** Sends bytes that stay as they are: they are referenced until they are out. */
  sendBytes(bytes: Uint8Array): void {
    this.#sender.bytes(bytes, this.backlog === 0);
  }

  /**
   * Sends `head`, then `length` > 0 bytes from `at` in the descriptor of `file`; `job` is logged
   * when they are out.
   */
  sendFile(head: Uint8Array, file: OpenFile, at: bigint, length: number, job: Job): void {
    this.#sender.file(head, file, at, length, this.service.zeroCopy);
    this.#job = job;
  }

  /** The store will answer what `wait` is for: until then no request is read. */
  awaitStore(wait: StoreState): void {
    this.#state = wait;
    if (this.#receiver.fin) probe(wait);
  }

  /** The request that is being answered costs as much as `requests` more of the usual ones. */
  charge(requests: number): void {
    this.#cost += requests;
  }

  /** After what has been sent: FIN, and nothing more is read. */
  closeAfter(): void {
    this.#receiver.close();
  }

  /** Says no, in the connection's own dialect, and goes on. */
  refuse(job: Job, refusal: Refusal): void {
    const { doors } = this.service;
    const door = this.door ?? (isFramedStart(this.#receiver.peek()) ? doors.framed : doors.plain);
    this.sendText(door.refusal(refusal));
    this.record(job, refusal.code, 0);
  }

  /** Counts a request that was answered or failed, and logs it. */
  record(job: Job, status: string, bytes: number): void {
    const { counters, log } = this.service;
    counters.requests += 1;
    if (status !== "OK") counters.refused += 1;
    if (!log.on) return;
    const door = this.door?.name ?? "-";
    log.request(logLineOf(job, shownAddress(this.address), door, status, bytes));
  }

  // --- for the sweep and the server ---

  get state(): State {
    return this.#state;
  }

  /** Bytes of requests that are not answered. */
  get backlog(): number {
    return this.#receiver.backlog;
  }

  /** Bytes given to the kernel. */
  get written(): number {
    return this.#sender.written;
  }

  /** Says no and closes, in the connection's own dialect; RST where a reply is promised already. */
  refuseAndClose(refusal: Refusal): void {
    const state = this.#state;
    const promised = state.awaits === "store" && state.asked === "digests" && state.promise.made;
    if (state.awaits === "store") this.#state = REQUEST;
    if (promised) this.terminate();
    else this.#run(() => this.#refuse(refusal));
  }

  /** Finishes what is under way, then closes. */
  stop(): void {
    this.#stopping = true;
    if (this.#state === REQUEST && this.backlog === 0) this.#run();
  }

  /** RST, now. */
  terminate(): void {
    if (this.#state === CLOSED) return;
    this.service.counters.resets += 1;
    this.socket.terminate();
    this.closed();
  }

  // --- internal ---

  /** What was awaited is here: `then`, if given, goes on with the request that waited. */
  #goOn(then?: () => void): void {
    tick();
    this.#state = REQUEST;
    this.#run(then);
  }

  /** Does the next thing until it has to wait. What is thrown costs this connection alone. */
  #run(first?: () => void): void {
    try {
      first?.();
      this.#loop();
    } catch (error) {
      // What was gathered is this connection's alone: it must not reach the next one.
      this.service.outbox.discard();
      this.crash(error);
    }
  }

  #loop(): void {
    if (this.#state === CLOSED) return;
    const budget = this.#sender.written + STEP_BYTES;
    const costMax = this.service.turns.late ? COST_LATE_MAX : this.service.limits.pipeline;
    this.#cost = 0;
    for (;;) {
      if (this.#state.awaits === "store") {
        // What was answered before goes out meanwhile, as far as the socket takes it.
        if (this.#push()) this.progressAt = 0;
        return;
      }
      if (this.#sender.pressing && !this.#push()) return;
      const yields = this.#cost >= costMax || this.#sender.written >= budget;
      const line = yields || this.#receiver.last ? null : this.#next();
      if (line !== null) {
        this.#cost += 1;
        this.#answer(line);
        continue;
      }
      if (this.#sender.pressing) continue;
      if (!this.#push()) return;
      if (this.#receiver.last) this.#finish();
      else if (yields) this.#await("turn");
      else this.#rest();
      return;
    }
  }

  /** Writes; false when it has to wait or is over. */
  #push(): boolean {
    for (;;) {
      const pushed = this.#sender.push();
      switch (pushed) {
        case "clear":
          return true;
        case "done":
          if (this.#job !== null) this.record(this.#job, "OK", this.#job.length);
          this.#job = null;
          return true;
        case "gone":
        case "broken":
          this.terminate();
          return false;
        default:
          this.#await(pushed);
          return false;
      }
    }
  }

  #await(what: keyof typeof SENDING): void {
    // A request that waits for the store goes on waiting for it.
    if (this.#state.awaits !== "store") this.#state = SENDING[what];
    if (this.progressAt === 0) {
      this.progressAt = clock.now;
      this.progress = -1;
    }
    if (what === "turn") this.service.turns.add(this);
  }

  /** The next request's line, or null. */
  #next(): ByteString | null {
    const line = this.#receiver.next();
    if (line === null && this.#receiver.overflowed) {
      this.#refuse(new Refusal("E2BIG", `more than ${LINE_BYTES_MAX} bytes without LF`));
    }
    return line;
  }

  #answer(line: ByteString): void {
    this.asked += 1;
    this.door ??= this.service.doors[dialectOf(line)];
    this.door.answer(this, line);
  }

  #refuse(refusal: Refusal): void {
    this.refuse(jobOf("-", "", 0), refusal);
    this.closeAfter();
  }

  /** Nothing to do: waits for the next request, for its end, or closes. */
  #rest(): void {
    this.progressAt = 0;
    if (this.#receiver.fin || (this.#stopping && this.backlog === 0)) {
      this.#finish();
      return;
    }
    this.#state = REQUEST;
    // Only an answer starts a new wait: a byte now and then must not stretch the old one.
    if (this.asked > this.#rested) this.since = clock.now;
    this.#rested = this.asked;
    this.#receiver.resume();
    if (this.door !== null || this.backlog === 0) return;
    const start = this.#receiver.peek();
    if (isTlsStart(start)) {
      this.#answer(start);
      this.#loop();
    } else if (!isFramedStart(start)) {
      this.#state = SILENCE;
      this.service.silence.wait(this);
    }
  }

  /** Everything is out: FIN, then wait for the peer's. */
  #finish(): void {
    this.#state = LINGER;
    this.since = clock.now;
    this.#receiver.close();
    this.#receiver.resume();
    this.socket.shutdown();
  }
}
