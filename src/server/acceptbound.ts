/**
 * Bounds how many connections Bun accepts in one event. Bun calls accept4(2) until it fails, and
 * each costs 25 us: while newcomers come as fast as that it never ends, and everybody who is
 * connected waits. Behind the last one that an event may have, the listening descriptor's number is
 * given to a file that accept4(2) refuses; what is behind the number is put back before the loop
 * waits again. The kernel's queue, and what epoll(7) knows of the listener, stay as they are: both
 * belong to the open socket, which a second descriptor keeps. Invariant: while Bun waits, and when
 * it closes the listener, the number is the socket's.
 */
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, OPEN } from "../sys/types.ts";

/**
 * Connections accepted in one event: 1 ms, so that a round of the loop stays short. Two system
 * calls and an immediate for each so many are 1 % of what accepting them costs.
 */
const ACCEPTS_MAX = 32;

/**
 * The same while those who came before wait for their turn: a shared round of turns serves some 20
 * of them, and who comes faster than that would fill the table of connections.
 */
const ACCEPTS_LATE_MAX = 8;

/** The bound of one listener, or none where descriptors can't be exchanged. */
export class AcceptBound {
  /** The number that Bun accepts from. */
  readonly #fd: number;
  /** Another descriptor of the same socket; < 0: there is no bound. */
  #socket: number;
  /** What refuses accept4(2): ENOTSOCK. */
  #refuser: number;
  readonly #late: () => boolean;
  /** Accepted since the loop last waited. */
  #accepted = 0;
  #refusing = false;
  #waiting = false;

  /** `fd` is a listening socket's; `late` says whether connections wait for their turn. */
  constructor(fd: number, late: () => boolean) {
    this.#fd = fd;
    this.#late = late;
    this.#socket = kernel.duplicate(fd);
    this.#refuser = this.#socket < 0 ? -1 : kernel.openat(AT_FDCWD, "/dev/null", OPEN.readOnly);
  }

  /** Counts one that was accepted; behind the last one that this round may have, accept4 fails. */
  count(): void {
    this.#accepted += 1;
    if (!this.#waiting) {
      this.#waiting = true;
      setImmediate(this.#reset);
    }
    const most = this.#late() ? ACCEPTS_LATE_MAX : ACCEPTS_MAX;
    if (this.#accepted < most || this.#refusing || this.#refuser < 0) return;
    this.#refusing = kernel.replace(this.#fd, this.#refuser) === 0;
  }

  /** Ends the bound: the number is the socket's again, and nothing else keeps it open. */
  close(): void {
    this.#reset();
    kernel.close(this.#socket);
    kernel.close(this.#refuser);
    this.#socket = -1;
    this.#refuser = -1;
  }

  // --- internal ---

  readonly #reset = (): void => {
    this.#waiting = false;
    this.#accepted = 0;
    if (!this.#refusing) return;
    this.#refusing = false;
    kernel.replace(this.#fd, this.#socket);
  };
}
