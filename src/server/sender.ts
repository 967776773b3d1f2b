/**
 * The sending half of a connection: what was answered and is not out yet, in the order in which it
 * must go: the unsent rest, what is gathered in the outbox, the transfer. It decides nothing:
 * push() moves what it can and names what is awaited. Nothing is dropped: after "gone" or "broken"
 * only RST is left.
 */
import { fromSource } from "../send/cached.ts";
import { CopyTransfer } from "../send/copy.ts";
import { type Flushed, flushRest, GATHER_BYTES, type Outbox, type Rest } from "../send/outbox.ts";
import { SendfileTransfer } from "../send/sendfile.ts";
import { type Awaiter, STEP, type Transfer } from "../send/transfer.ts";
import type { OpenFile } from "../store/store.ts";
import { kernel } from "../sys/kernel.ts";
import type { StreamSocket } from "../sys/socket.ts";
import type { FileReply } from "./answer.ts";

/** What push() came to. */
export type Pushed =
  /** Nothing is left to send. */
  | "clear"
  /** The transfer is complete. Replies after it may be left to send. */
  | "done"
  /** Waits for room in the socket. */
  | "room"
  /** Waits for its turn. */
  | "turn"
  /** Waits for bytes from the store. */
  | "window"
  /** The peer is gone. */
  | "gone"
  /** The file can't give what was promised: it shrank, changed or can't be read. */
  | "broken";

/**
 * From here on the outbox is written before anything else is answered: a reply's head always fits.
 */
const OUTBOX_HIGH_BYTES = GATHER_BYTES / 2;

/** Sends for one connection through the outbox that all share. */
export class Sender implements Rest {
  readonly socket: StreamSocket;
  unsent: Uint8Array | null = null;
  unsentAt = 0;
  written = 0;
  transfer: Transfer | null = null;
  readonly #outbox: Outbox;
  readonly #owner: Awaiter;
  /** The socket said that it takes nothing: only drain() changes that. */
  #full = false;
  #dead = false;
  /** Were this process killed now, the peer would get RST. */
  #untilFin = false;

  constructor(socket: StreamSocket, outbox: Outbox, owner: Awaiter) {
    this.socket = socket;
    this.#outbox = outbox;
    this.#owner = owner;
  }

  /** True when something must go out before another request is answered. */
  get pressing(): boolean {
    return (
      this.transfer !== null ||
      this.unsent !== null ||
      this.#dead ||
      this.#outbox.used > OUTBOX_HIGH_BYTES
    );
  }

  /** The socket has room again. */
  drain(): void {
    this.#full = false;
  }

  /** Adds text, as UTF-8. */
  text(text: string): void {
    if (this.unsent === null && this.#outbox.appendText(text)) return;
    this.bytes(Buffer.from(text), false);
  }

  /**
   * Adds bytes, which must stay as they are until they are out. `alone`: nothing will be gathered
   * with them.
   */
  bytes(bytes: Uint8Array, alone: boolean): void {
    if (this.#dead) return;
    if (this.unsent === null) {
      if (!(alone && this.#outbox.used === 0) && this.#outbox.append(bytes)) return;
      this.#note(this.#outbox.flush(this.socket, this));
      if (this.#dead) return;
    }
    if (this.unsent === null) {
      this.#note(this.#outbox.send(this.socket, bytes, this));
      return;
    }
    // Rare: the socket filled up between a head and its body. At most an outbox and a held body.
    this.unsent = Buffer.concat([this.unsent.subarray(this.unsentAt), bytes]);
    this.unsentAt = 0;
  }

  /** Adds a head and a range of a file that has a descriptor or a source. */
  file({ head, file, at, length, untilFin }: FileReply, zeroCopy: boolean): void {
    if (head.length > 0) this.bytes(head, false);
    if (untilFin === true) this.#endByReset(true);
    if (file.source !== null) {
      const wanted = { file, source: file.source, start: at, length };
      this.transfer = fromSource(this.socket, wanted, zeroCopy, this.#owner);
      return;
    }
    this.transfer = zeroCopy
      ? new SendfileTransfer(this.socket, file, at, length, this.#owner)
      : this.#copy(file, at, length);
  }

  /**
   * Moves what can be moved: everything gathered, and one step of the transfer. `late`: the step
   * waits for its turn.
   */
  push(late: boolean): Pushed {
    if (this.#dead) return "gone";
    if (this.#full) return "room";
    const flushed = this.unsent === null ? "clear" : flushRest(this.socket, this);
    const more = this.transfer?.zeroCopy ?? false;
    const out = flushed === "clear" ? this.#outbox.flush(this.socket, this, more) : flushed;
    this.#note(out);
    if (out !== "clear") return out === "full" ? "room" : "gone";
    if (this.transfer === null) return "clear";
    return late ? "turn" : this.#step(this.transfer);
  }

  /** Lets go of what is not out; the bytes that the transfer still owed. */
  close(): number {
    const transfer = this.transfer;
    this.unsent = null;
    this.transfer = null;
    this.#dead = true;
    transfer?.close();
    return transfer === null ? 0 : transfer.length - transfer.sent;
  }

  // --- internal ---

  /** The closure is made for this branch alone: an idle connection has none. */
  #copy(file: OpenFile, start: bigint, length: number): CopyTransfer {
    return new CopyTransfer(file, start, length, this.#owner);
  }

  /**
   * Whether the kernel is to send RST if this process ends before it has closed the socket. By
   * itself it sends what it has and then FIN, and a bare path's file would look whole. Once all is
   * out it must not: a close would drop what the peer has not taken yet.
   */
  #endByReset(wanted: boolean): void {
    this.#untilFin = wanted;
    kernel.resetAtClose(this.socket.fd, wanted);
  }

  #note(flushed: Flushed): void {
    if (flushed === "full") this.#full = true;
    else if (flushed === "dead") this.#dead = true;
  }

  #step(transfer: Transfer): Pushed {
    const before = transfer.sent;
    const step = transfer.step(this.socket);
    this.written += transfer.sent - before;
    switch (step) {
      case STEP.more:
        return "turn";
      case STEP.full:
        this.#full = true;
        return "room";
      case STEP.wait:
        return "window";
      case STEP.dead:
        return "gone";
      case STEP.done:
        this.transfer = null;
        transfer.close();
        if (this.#untilFin) this.#endByReset(false);
        return "done";
      case STEP.unfit:
        return this.#takeOver(transfer);
      default:
        return "broken";
    }
  }

  /**
   * The file system can't send this file by sendfile(2): the copy branch goes on at the same byte.
   */
  #takeOver(transfer: Transfer): Pushed {
    const { file, position } = transfer;
    const left = transfer.length - transfer.sent;
    this.transfer = this.#copy(file, position, left);
    transfer.close();
    return "turn";
  }
}
