/** A source of bytes whose streams the test plays. */
import type { ByteStream, Source } from "../../src/store/store.ts";

/** Has what the test puts into it, in the same parts. */
export class PlayedStream implements ByteStream {
  ready: Uint8Array | null = null;
  state: ByteStream["state"] = "flowing";
  /** Calls of want() and of close(). */
  wanted = 0;
  closed = 0;
  #parts: Uint8Array[] = [];
  readonly at: bigint;
  readonly length: number;
  readonly peer: string;
  readonly #awake: () => void;

  constructor(at: bigint, length: number, peer: string, awake: () => void) {
    this.at = at;
    this.length = length;
    this.peer = peer;
    this.#awake = awake;
  }

  /** These come at once. */
  come(...parts: (string | Uint8Array)[]): void {
    this.#parts.push(...parts.map((part) => Buffer.from(part)));
    this.ready = this.#parts[0] ?? null;
    this.#awake();
  }

  fail(state: ByteStream["state"]): void {
    this.state = state;
    this.#awake();
  }

  want(): void {
    this.wanted += 1;
  }

  take(count: number): void {
    if (count !== this.ready?.length) throw new Error("not what is ready");
    this.#parts.shift();
    this.ready = this.#parts[0] ?? null;
  }

  close(): void {
    this.closed += 1;
  }
}

/** The oldest stream first. */
export class PlayedSource implements Source {
  readonly streams: PlayedStream[] = [];

  stream(at: bigint, length: number, peer: string, awake: () => void): PlayedStream {
    const stream = new PlayedStream(at, length, peer, awake);
    this.streams.push(stream);
    return stream;
  }
}
