/**
 * One connection as one explicit state: what it waits for (state.ts). Every event only notes what
 * came and calls #run(), which does the next thing until it has to wait again.
 *
 *   socket -> Receiver -> line -> door -> store
 *                                  |        |   now, or later by opened() and the like
 *   socket <- Sender  <------- answer <-----+
 *
 * It owns the socket; its Receiver owns what is not answered, its Sender what is not out yet. It
 * knows no dialect (doors do) and no path (stores do). One request is answered at a time.
 * Invariant: whenever it returns to the loop the shared outbox is empty, and either something is
 * awaited that will come, or a deadline of the sweep ends it.
 */
import { peerOf } from "../guard/address.ts";
import { COST_LATE_MAX, LINE_BYTES_PER_REQUEST, NEWCOMER_MS } from "../guard/limits.ts";
import { type Awaiter, LONG_BYTES, STEP_BYTES } from "../send/transfer.ts";
import type { Turn } from "../send/turns.ts";
import type { EncodedPage, OpenFile } from "../store/store.ts";
import { clock, tick } from "../sys/clock.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { dialectOf, isFramedStart, isTlsStart } from "../wire/dialect.ts";
import type { Entry } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { Access } from "./access.ts";
import type { Answer } from "./answer.ts";
import { Exchange } from "./exchange.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import type { Asker, ConnectionOwner, Door, Service } from "./service.ts";
import { CLOSED, LINGER, REQUEST, SENDING, SILENCE, type State } from "./state.ts";
import type { ByteString } from "../wire/bytes.ts";

/** A client's connection, from accept to close. */
export class Connection implements Turn, Asker, Awaiter {
  /** Written by the connection alone. */
  state: State = REQUEST;
  door: Door | null = null;
  readonly socket: StreamSocket;
  readonly service: Service;
  readonly access: Access;
  readonly #owner: ConnectionOwner;
  readonly receiver: Receiver;
  readonly #sender: Sender;
  readonly #exchange: Exchange;

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
  /** Bytes it had acknowledged then; below 0 while that is not known. */
  progress = 0;
  /** It closes behind this reply. */
  ending = false;

  /** The peer's, not its proxy's. */
  readonly address: string;
  /** Whose share it uses. */
  readonly peer: string;

  constructor(socket: StreamSocket, service: Service, owner: ConnectionOwner, address: string) {
    this.socket = socket;
    this.service = service;
    this.#owner = owner;
    this.address = address;
    this.peer = peerOf(address);
    this.receiver = new Receiver(socket);
    this.#sender = new Sender(socket, service.outbox, this);
    this.#exchange = new Exchange(service, this.#sender, address);
    this.access = new Access(service, address, this.peer);
  }

  // --- events ---

  /** Bytes came; `chunk` is ours from now on. */
  data(chunk: Buffer): void {
    tick();
    if (this.receiver.last) {
      const leftover = this.receiver.discard(chunk, this.state !== LINGER);
      if (leftover !== "junk") this.terminate();
      return;
    }
    if (this.asked === 0) this.service.turns.watch();
    else if (this.receiver.backlog === 0) this.since = clock.now;
    this.receiver.push(chunk);
    if (this.state === REQUEST || this.state === SILENCE) this.#run();
    // Also when it has just run: what it left is enough to go on with.
    this.receiver.holdBack();
  }

  /** The socket has room again. Also called without cause (oven-sh/bun#37099). */
  drain(): void {
    const { awaits } = this.state;
    if (awaits !== "room" && awaits !== "store") return;
    tick();
    this.#sender.drain();
    if (awaits === "room" && this.service.turns.late) this.#await("turn");
    else this.#run();
  }

  /** FIN: no more bytes come. What was asked for is still served to the end. */
  end(): void {
    tick();
    this.receiver.fin = true;
    if (this.state === REQUEST || this.state === SILENCE) this.#run();
    else this.probe();
  }

  /**
   * Asks a peer that may be gone whether it is, at its turn: it costs a write. For the sweep too:
   * who has asked for more than can wait is not read, so that its FIN is not seen meanwhile.
   */
  probe(): void {
    const suspect = this.receiver.fin || this.receiver.paused;
    if (this.state.awaits === "store" && suspect) this.service.turns.add(this);
  }

  /** Its turn: to go on, or to find out whether its peer is there. */
  turn(): void {
    const { state } = this;
    tick();
    if (state === SENDING.turn) this.#goOn();
    else if (state.awaits === "store") this.#run(() => this.#exchange.promise(state.promise));
  }

  /** The bytes that the transfer waited for are in memory. */
  windowReady(): void {
    if (this.state === SENDING.window) this.#goOn();
  }

  /** 200 ms of silence behind a path without LF. */
  silent(): void {
    if (this.state !== SILENCE) return;
    this.receiver.endedBySilence = true;
    this.#run();
  }

  opened(file: OpenFile | Refusal): void {
    const state = this.state;
    if (state.awaits === "store" && state.asked === "file") this.#goOn(() => state.then(file));
  }

  looked(entry: Entry | Refusal): void {
    const state = this.state;
    if (state.awaits === "store" && state.asked === "entry") this.#goOn(() => state.then(entry));
  }

  listed(page: EncodedPage | Refusal): void {
    const state = this.state;
    if (state.awaits === "store" && state.asked === "page") this.#goOn(() => state.then(page));
  }

  digested(lines: Uint8Array | Refusal): void {
    const state = this.state;
    if (state.awaits === "store" && state.asked === "digests") this.#goOn(() => state.then(lines));
  }

  /** The socket is closed, by whomever. */
  closed(): void {
    if (this.state === CLOSED) return;
    this.state = CLOSED;
    this.gone = true;
    this.service.silence.forget(this);
    const owed = this.#sender.close();
    if (this.#exchange.line !== null)
      this.#exchange.end(this.door, "RESET", Math.max(0, this.#exchange.sending - owed));
    this.receiver.close();
    this.#owner.ended(this);
  }

  /** An error of ours: this peer gets RST, the others notice nothing. */
  crash(error: unknown): void {
    this.#exchange.crashed(error);
    this.terminate();
  }

  last(): void {
    this.receiver.close();
  }

  /** The request that is being answered costs as much as `requests` more of the usual ones. */
  charge(requests: number): void {
    this.#cost += requests;
  }

  // --- for the sweep and the server ---

  /** The file that is on its way, or null. */
  get sending(): ReturnType<Exchange["transfer"]> {
    return this.#exchange.transfer(this.door);
  }

  /** Bytes given to the kernel. */
  get written(): number {
    return this.#sender.written;
  }

  /** Says no and closes, in the connection's own dialect; RST where a reply is promised already. */
  refuseAndClose(refusal: Refusal): void {
    if (this.state.awaits === "store") this.state = REQUEST;
    this.#run(() => this.#refuse(refusal, true));
  }

  /** Finishes what is under way, or has come and is not read yet, then closes. */
  stop(): void {
    this.ending = true;
    const comes = this.asked === 0 && clock.now - this.since < NEWCOMER_MS;
    if (this.state === REQUEST && !comes && !this.receiver.unread) this.#run();
  }

  /** RST, now. */
  terminate(): void {
    if (this.state === CLOSED) return;
    this.service.counters.resets += 1;
    this.socket.terminate();
    this.closed();
  }

  // --- internal ---

  /** What was awaited is here: with it `then`, if given, answers the request that waited. */
  #goOn(then?: () => Answer): void {
    tick();
    this.state = REQUEST;
    this.#run(then && (() => this.#deliver(then())));
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
    if (this.state === CLOSED) return;
    const budget = this.#sender.written + STEP_BYTES;
    // Of those who have just come there may be a thousand in one round of events.
    const lateMax = this.asked > 0 ? COST_LATE_MAX : 0;
    const costMax = this.service.turns.late ? lateMax : this.service.limits.pipeline;
    this.#cost = 0;
    for (;;) {
      if (this.state.awaits === "store") {
        // What was answered before goes out meanwhile, as far as the socket takes it.
        if (this.#push()) this.progressAt = 0;
        return;
      }
      if (this.#sender.pressing && !this.#push()) return;
      const yields = this.#cost >= costMax || this.#sender.written >= budget;
      const next = yields ? null : this.#exchange.next;
      if (next !== null) {
        this.#cost += 1;
        this.#exchange.next = null;
        this.#deliver(next());
        continue;
      }
      const line = yields || this.receiver.last ? null : this.#next();
      if (line !== null) {
        this.#cost += 1 + Math.trunc(line.length / LINE_BYTES_PER_REQUEST);
        this.#answer(line);
        continue;
      }
      if (this.#sender.pressing) continue;
      if (!this.#push()) return;
      if (this.receiver.last && this.#exchange.next === null) this.#finish();
      else if (yields) this.#await("turn");
      else this.#rest();
      return;
    }
  }

  /** Writes; false when it has to wait or is over. */
  #push(): boolean {
    for (;;) {
      const pushed = this.#sender.push(this.service.turns.late);
      switch (pushed) {
        case "clear":
          return true;
        case "done":
          this.#exchange.end(this.door, "OK", this.#exchange.sending);
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
    if (this.state.awaits !== "store") this.state = SENDING[what];
    if (this.progressAt === 0) {
      this.progressAt = clock.now;
      this.progress = -1;
    }
    if (what === "turn") this.service.turns.add(this);
  }

  /** The next request's line, or null. */
  #next(): ByteString | null {
    const line = this.receiver.next();
    if (!(line instanceof Refusal)) return line;
    this.#refuse(line, true);
    return null;
  }

  #answer(line: ByteString): void {
    const known = this.door;
    const door = (this.door ??= this.service.doors[dialectOf(line)]);
    if (known === null && door.heads) {
      this.receiver.readHeads(line);
      return;
    }
    this.asked += 1;
    this.#exchange.begin(line);
    this.#deliver(door.answer(this.access.store, line, this));
  }

  #deliver(answer: Answer): void {
    switch (answer.kind) {
      case "reply":
        this.#exchange.reply(answer, this.door, this.receiver.backlog === 0);
        break;
      case "part":
        this.#exchange.part(answer);
        break;
      case "file":
        this.#exchange.file(answer);
        if (answer.length > LONG_BYTES) this.service.turns.watch();
        break;
      case "store":
        this.state = answer;
        if (this.receiver.fin) this.#exchange.promise(answer.promise);
        break;
      default:
        this.#refuse(answer);
    }
  }

  /** Says no, in the connection's dialect; by RST where something else was promised. */
  #refuse(refusal: Refusal, last = false): void {
    const { doors } = this.service;
    const speaker = this.door ?? (isFramedStart(this.receiver.peek()) ? doors.framed : doors.plain);
    const ends = last || this.receiver.last;
    if (!this.#exchange.refuse(refusal, speaker, this.door, ends)) {
      // Parts may be gathered: they must not reach the next one.
      this.service.outbox.discard();
      this.terminate();
    } else if (ends) this.receiver.close();
  }

  /** Nothing to do: waits for the next request, for its end, or closes. */
  #rest(): void {
    this.progressAt = 0;
    if (this.receiver.fin || (this.ending && !this.receiver.unread)) {
      this.#finish();
      return;
    }
    this.state = REQUEST;
    // Only an answer starts a new wait: a byte now and then must not stretch the old one.
    if (this.asked > this.#rested) this.since = clock.now;
    this.#rested = this.asked;
    this.receiver.resume();
    if (this.door !== null || this.receiver.backlog === 0) return;
    const start = this.receiver.peek();
    if (isTlsStart(start)) {
      this.#answer(start);
      this.#loop();
    } else if (!isFramedStart(start)) {
      this.state = SILENCE;
      this.service.silence.wait(this);
    }
  }

  /** Everything is out: FIN, then wait for the peer's. */
  #finish(): void {
    this.state = LINGER;
    this.since = clock.now;
    this.receiver.close();
    this.receiver.resume();
    this.socket.shutdown();
  }
}
