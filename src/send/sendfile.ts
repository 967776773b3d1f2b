/**
 * The zero-copy branch: sendfile(2) from the cached descriptor into the socket, with an explicit
 * offset, so that any number of connections share one descriptor. Only for plain sockets: a TLS
 * socket's fd carries records.
 */
import { ERRNO } from "../sys/errno.ts";
import { clock, tick } from "../sys/clock.ts";
import { kernel } from "../sys/kernel.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { SOCKET } from "../sys/types.ts";
import type { OpenFile } from "../store/store.ts";
import { type Awaiter, STEP, STEP_BYTES, type Step, type Transfer } from "./transfer.ts";
import {
  type DiskRead,
  isResident,
  READ_BYTES,
  readaheads,
  RESIDENT_MS,
} from "../store/diskread.ts";

/** So far ahead the file is looked at: every second step, since a look costs 0.5 us. */
const LOOKAHEAD_BYTES = 2 * STEP_BYTES;

/**
 * From here on a transfer is corked. Without it the kernel cuts one or two segments more of 1 MiB,
 * each a wake-up of the peer, and 100 MiB takes a tenth more CPU: 77 us a request become 72 at 1
 * MiB. At 100 KiB the two calls cost 1 us more than they give.
 */
const CORKED_BYTES_MIN = 262_144;

/** The next byte of the file, on its way through user space to arm `drain`. */
const next = new Uint8Array(1);

/**
 * Sends `length` bytes of `file` from `start`. The owner has written the head, held back with
 * MSG_MORE, so that it leaves in one segment with the first bytes of the file.
 *
 * No byte goes whose page was not seen in memory lately, or read ahead off the loop
 * (store/diskread.ts): sendfile(2) waits for the disk, and all connections with it. Only both ends
 * of what goes are looked at; a hole between them, or a page that is thrown out at once, is waited
 * for as it always was.
 *
 * What does not go out in one step keeps its last byte back until the file has been looked at: a
 * file edited meanwhile fails before it is complete. Pages are queued, not copied, so that an edit
 * within the last milliseconds can still slip in (sendfile(2)).
 */
export class SendfileTransfer implements Transfer {
  readonly file: OpenFile;
  readonly zeroCopy = true;
  readonly length: number;
  sent = 0;
  readonly #start: bigint;
  readonly #corked: boolean;
  readonly #owner: Awaiter;
  /** Bytes from the start that are in memory. */
  #resident = 0;
  /** When that was seen, in clock.now's milliseconds. */
  #residentAt = 0;
  /** The read of the bytes behind them. */
  #read: DiskRead | null = null;
  /** Bytes were missing in memory: the next ones are read while those before them leave. */
  #readsAhead = false;
  #waiting = false;

  /** Retains `file` until close(). `length` > 0. `owner` is told when a step that waited may go. */
  constructor(socket: StreamSocket, file: OpenFile, start: bigint, length: number, owner: Awaiter) {
    file.retain();
    this.#owner = owner;
    this.file = file;
    this.#start = start;
    this.length = length;
    this.#corked = length >= CORKED_BYTES_MIN;
    if (this.#corked) setCork(socket, 1);
  }

  get position(): bigint {
    return this.sent === 0 ? this.#start : this.#start + BigInt(this.sent);
  }

  step(socket: StreamSocket): Step {
    const left = this.length - this.sent;
    if (left === 1 && this.sent > 0 && this.file.revalidate() === "changed") return STEP.changed;
    const due = Math.min(STEP_BYTES, this.sent > 0 && left > 1 ? left - 1 : left);
    const wanted = Math.min(due, this.#inMemory(due));
    if (wanted === 0) {
      this.#waiting = true;
      return STEP.wait;
    }
    const moved = kernel.sendfile(socket.fd, this.file.fd, this.position, wanted);
    if (moved > 0) {
      this.sent += moved;
      return this.#progress(socket);
    }
    if (moved === 0) return STEP.changed;
    if (moved === -ERRNO.EAGAIN) return this.#arm(socket);
    if (moved === -ERRNO.EINTR) return STEP.more;
    if (moved === -ERRNO.EPIPE || moved === -ERRNO.ECONNRESET || moved === -ERRNO.EBADF) {
      return STEP.dead;
    }
    if (moved !== -ERRNO.EINVAL && moved !== -ERRNO.ENOSYS) return STEP.failed;
    if (this.#corked) setCork(socket, 0);
    return STEP.unfit;
  }

  close(): void {
    if (this.#read?.drop()) this.file.release();
    this.#read = null;
    this.file.release();
  }

  // --- internal: memory ---

  /** How many bytes may go without waiting for the disk; 0 while it is asked for the next ones. */
  #inMemory(due: number): number {
    if (this.#read === null) {
      // A peer that takes little lets minutes pass: what was there may have been thrown out.
      if (clock.now - this.#residentAt > RESIDENT_MS) this.#resident = this.sent;
      if (this.sent + due > this.#resident) this.#look(due);
    }
    if (this.#readsAhead && this.#resident - this.sent < LOOKAHEAD_BYTES) this.#readNext();
    return this.#resident - this.sent;
  }

  /** Looks how far the file is in memory; where it is not, it is read ahead from now on. */
  #look(due: number): void {
    const oneStep = this.file.entry.size <= STEP_BYTES;
    const far = Math.min(this.length, this.sent + LOOKAHEAD_BYTES);
    this.#residentAt = clock.now;
    if (oneStep && this.file.residentUntil > clock.now) this.#resident = far;
    else if (!this.#isResident(this.sent)) this.#readsAhead = true;
    else if (this.#isResident(far - 1)) {
      this.#resident = far;
      this.#readsAhead = false;
      if (oneStep) this.file.residentUntil = clock.now + RESIDENT_MS;
    } else {
      this.#readsAhead = true;
      if (this.#isResident(this.sent + due - 1)) this.#resident = this.sent + due;
    }
  }

  /** Whether the byte at `at` is in memory. Where that can't be told it is sent as if it were. */
  #isResident(at: number): boolean {
    return isResident(this.file.fd, this.#start + BigInt(at));
  }

  /** Reads the bytes behind those that are in memory, unless they turn out to be there. */
  #readNext(): void {
    const from = Math.max(this.#resident, this.sent);
    const count = Math.min(READ_BYTES, this.length - from);
    if (this.#read !== null || count === 0) return;
    if (this.#isResident(from) && this.#isResident(from + count - 1)) {
      this.#resident = from + count;
      this.#readsAhead = false;
      return;
    }
    this.file.retain();
    this.#read = readaheads.read(
      this.#owner.peer,
      this.file,
      null,
      count,
      this.#start + BigInt(from),
      () => {
        this.file.release();
        if (this.#read !== null) this.#cameTo(from + count);
      },
    );
  }

  /** A read has ended. A disk that fails, or a file that was cut, is met again by sendfile(2). */
  #cameTo(end: number): void {
    this.#read = null;
    this.#resident = end;
    // Now, however long it took: what has been read must be sent, or a disk that is slower than
    // pages stay in a scarce memory would be asked for ever.
    this.#residentAt = tick();
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#owner.windowReady();
  }

  // --- internal: socket ---

  /**
   * sendfile's EAGAIN arms nothing in Bun's loop; a write that is refused does (Bun 1.4.5). So
   * the next byte goes by write: refused, `drain` will come; taken, there was room after all.
   */
  #arm(socket: StreamSocket): Step {
    const got = kernel.pread(this.file.fd, next, 1, this.position);
    if (got === 0) return STEP.changed;
    if (got < 0) return got === -ERRNO.EINTR ? STEP.more : STEP.failed;
    const taken = socket.write(next, 0, 1);
    if (taken < 0) return STEP.dead;
    if (taken === 0) return STEP.full;
    this.sent += 1;
    return this.#progress(socket);
  }

  /** A cork left set would hold the last segment back for 200 ms (tcp(7)). */
  #progress(socket: StreamSocket): Step {
    if (this.sent < this.length) return STEP.more;
    if (this.#corked) setCork(socket, 0);
    return STEP.done;
  }
}

function setCork(socket: StreamSocket, on: 0 | 1): void {
  kernel.setsockopt(socket.fd, SOCKET.tcpLevel, SOCKET.tcpCork, on);
}
