/**
 * The handle of the digest thread (worker.ts): starts it, sends it portions, passes on its answers.
 * The thread neither blocks the event loop nor keeps the process alive. Answers come in the order
 * of the portions, each in an event of its own.
 */
import type { Dropped, Portion, PortionAnswer } from "./worker.ts";

/** Takes the events of the thread. */
export interface ThreadOwner {
  /** The answer to the oldest portion without one. */
  answered(answer: PortionAnswer): void;
  /** The thread has ended, by end() or by an error: no answer follows, no descriptor is in use. */
  ended(thread: DigestThread): void;
}

/** One thread. It takes 10 MiB of memory and its buffer. */
export class DigestThread {
  readonly #worker: Worker;

  constructor(owner: ThreadOwner) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), {
      ref: false,
      smol: true,
    });
    this.#worker.onmessage = ({ data }: MessageEvent<PortionAnswer>) => owner.answered(data);
    // "close" follows. Without this handler the error of the thread would end the whole process.
    this.#worker.onerror = (event) => event.preventDefault();
    this.#worker.addEventListener("close", () => owner.ended(this));
  }

  /** Sends a portion, or that a job was dropped. */
  send(message: Portion | Dropped): void {
    this.#worker.postMessage(message);
  }

  /** Ends the thread. A system call under way ends first, in the background. */
  end(): void {
    this.#worker.terminate();
  }
}
