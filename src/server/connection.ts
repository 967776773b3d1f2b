/**
 * One connection as one explicit state: what it waits for. Every event only notes what came and
 * calls #run(), which does the next thing until it has to wait again.
 *
 *   socket -> Receiver -> line -> door -> store          waits, and what ends each of them:
 *                                  |        |            request   bytes, FIN (sweep: requestMs, idleMs)
 *                                  v        v            silence   200 ms without a byte
 *   socket <- Sender  <----------- reply  (later)        store     the store's answer (sweep: storeMs)
 *                                                        room      drain (sweep: stallMs)
 *                                                        turn      the queue of turns
 *                                                        window    bytes of the file, from the disk
 *                                                        linger    the peer's FIN (sweep: LINGER_MS)
 *
 * It owns the socket; its Receiver owns what is not answered, its Sender what is not out yet. It
 * knows no dialect (doors do) and no path (stores do). Invariant: whenever it returns to the loop
 * the shared outbox is empty, and either something is awaited that will come, or a deadline of the
 * sweep ends it.
 */
import { type Awaiter, STEP_BYTES } from "../send/transfer.ts";
import type { Turn } from "../send/turns.ts";
import type { EncodedPage, OpenFile, Waiter } from "../store/store.ts";
import { clock, tick } from "../sys/clock.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { dialectOf, isFramedStart, isTlsStart } from "../wire/dialect.ts";
import { Refusal } from "../wire/errors.ts";
import { LINE_BYTES_MAX } from "../wire/vocabulary.ts";
import { type Job, jobOf } from "./job.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import type { Door, Service } from "./service.ts";
import type { ByteString } from "../wire/bytes.ts";

/** What a connection waits for. */
type State =
  /** The next request, or the rest of one. */
  | { readonly awaits: "request" }
  /** 200 ms without another byte: the end of a bare path. */
  | { readonly awaits: "silence" }
  /**
   * The store: a file being opened, a page of a directory, digests. `then` goes on with the request.
   * Replies before it may still be on their way out.
   */
  | { readonly awaits: "store"; readonly asked: "file"; readonly then: Later<OpenFile> }
  | { readonly awaits: "store"; readonly asked: "page"; readonly then: Later<EncodedPage> }
  | { readonly awaits: "store"; readonly asked: "digests"; readonly then: Later<Uint8Array> }
  /** Room in the socket. */
  | { readonly awaits: "room" }
  /** Its turn. */
  | { readonly awaits: "turn" }
  /** Bytes of the file, from the disk. */
  | { readonly awaits: "window" }
  /** The peer's FIN after ours. */
  | { readonly awaits: "linger" }
  /** Nothing, ever. */
  | { readonly awaits: "closed" };

/** How a request goes on when the store has answered. */
type Later<T> = (answer: T | Refusal) => void;

// Shared by all connections: entering one of these states allocates nothing.
const REQUEST: State = { awaits: "request" };
const SILENCE: State = { awaits: "silence" };
const LINGER: State = { awaits: "linger" };
const CLOSED: State = { awaits: "closed" };
const SENDING = {
  room: { awaits: "room" },
  turn: { awaits: "turn" },
  window: { awaits: "window" },
} as const satisfies Record<string, State>;

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

  constructor(socket: StreamSocket, service: Service) {
    this.socket = socket;
    this.service = service;
    this.address = socket.remoteAddress ?? "";
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
    this.#run();
  }

  /** FIN: no more bytes come. What was asked for is still served to the end. */
  end(): void {
    tick();
    this.#receiver.fin = true;
    if (this.#state === REQUEST || this.#state === SILENCE) this.#run();
  }

  /** Its turn. */
  turn(): void {
    if (this.#state !== SENDING.turn) return;
    tick();
    this.#run();
  }

  /** The bytes that the transfer waited for are in memory. */
  windowReady(): void {
    if (this.#state !== SENDING.window) return;
    tick();
    this.#run();
  }

  /** 200 ms of silence behind a path without LF. */
  silent(): void {
    if (this.#state !== SILENCE) return;
    this.#receiver.endedBySilence = true;
    this.#run();
  }

  /** The store has opened the file. */
  opened(file: OpenFile | Refusal): void {
    const state = this.#state;
    if (state.awaits === "store" && state.asked === "file") this.#goOn(() => state.then(file));
  }

  /** The store has made the page. */
  listed(page: EncodedPage | Refusal): void {
    const state = this.#state;
    if (state.awaits === "store" && state.asked === "page") this.#goOn(() => state.then(page));
  }

  /** The store has computed the digests. */
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
    this.service.log.fault(`internal error, connection from ${this.peer} reset`, text);
    this.terminate();
  }

  // --- for doors ---

  /** Who it is, for the log: IPv4 as such also when it came over IPv6. */
  get peer(): string {
    const address = this.address.startsWith("::ffff:") ? this.address.slice(7) : this.address;
    return address.includes(":") ? `[${address}]` : address;
  }

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

  /** The store will call opened(): until then no request is read. */
  awaitFile(then: Later<OpenFile>): void {
    this.#state = { awaits: "store", asked: "file", then };
  }

  /** The same for listed(). */
  awaitPage(then: Later<EncodedPage>): void {
    this.#state = { awaits: "store", asked: "page", then };
  }

  /** The same for digested(). */
  awaitDigests(then: Later<Uint8Array>): void {
    this.#state = { awaits: "store", asked: "digests", then };
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
    const { verb, path, began } = job;
    const ms = performance.now() - began;
    log.request({ peer: this.peer, door, verb, path, status, bytes, ms });
  }

  // --- for the sweep and the server ---

  /** What is awaited. */
  get awaits(): State["awaits"] {
    return this.#state.awaits;
  }

  /** Bytes of requests that are not answered. */
  get backlog(): number {
    return this.#receiver.backlog;
  }

  /** Bytes given to the kernel. */
  get written(): number {
    return this.#sender.written;
  }

  /** Says no and closes, in the connection's own dialect. */
  refuseAndClose(refusal: Refusal): void {
    this.#run(() => this.#refuse(refusal));
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

  /** The store has answered: the request that waited for it goes on. */
  #goOn(then: () => void): void {
    tick();
    this.#state = REQUEST;
    this.#run(then);
  }

  /**
   * Does the next thing until it has to wait. Whatever is thrown costs this connection, not the
   * server.
   */
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
    for (let served = 0; ;) {
      if (this.#state.awaits === "store") {
        // What was answered before goes out meanwhile, as far as the socket takes it.
        if (this.#push()) this.progressAt = 0;
        return;
      }
      if (this.#sender.pressing && !this.#push()) return;
      const yields = served >= this.service.limits.pipeline || this.#sender.written >= budget;
      const line = yields || this.#receiver.last ? null : this.#next();
      if (line !== null) {
        served += 1;
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
