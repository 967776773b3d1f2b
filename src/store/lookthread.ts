/**
 * The handle of the thread for looks (lookworker.ts): starts it, sends it questions, passes on its
 * answers. The thread neither blocks the event loop nor keeps the process alive. Answers come in
 * the order of the questions, each in an event of its own.
 */
import type { LookAnswer, LookAsked, LookRoot } from "./look.ts";
import type { RootParts } from "./root.ts";

/** Takes the events of the thread. */
export interface LookOwner {
  /** The answer to the oldest question without one. */
  answered(answer: LookAnswer): void;
  /** The thread has ended, by end() or by an error: no answer follows, no descriptor is in use. */
  ended(thread: LookThread): void;
}

/** One thread. */
export interface LookThread {
  send(asked: LookAsked): void;
  /** Ends the thread. A system call under way ends first, in the background. */
  end(): void;
}

/** How a thread is started: 10 ms and 10 MiB of memory. Tests put another in its place. */
export const lookThreads = {
  start: (owner: LookOwner, root: RootParts): LookThread => new WorkerThread(owner, root),
};

// --- internal ---

class WorkerThread implements LookThread {
  readonly #worker: Worker;

  constructor(owner: LookOwner, parts: RootParts) {
    this.#worker = new Worker(new URL("./lookworker.ts", import.meta.url), {
      ref: false,
      smol: true,
    });
    this.#worker.onmessage = ({ data }: MessageEvent<LookAnswer>) => owner.answered(data);
    // "close" follows. Without this handler the error of the thread would end the whole process.
    this.#worker.onerror = (event) => event.preventDefault();
    this.#worker.addEventListener("close", () => owner.ended(this));
    const first: LookRoot = { kind: "root", parts };
    this.#worker.postMessage(first);
  }

  send(asked: LookAsked): void {
    this.#worker.postMessage(asked);
  }

  end(): void {
    this.#worker.terminate();
  }
}
