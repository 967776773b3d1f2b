/**
 * A handle on the thread that computes digests: starts it, sends, hears. It holds up neither the
 * process nor the loop. Answers come in the order of what was sent, each in an event of its own.
 */
import type { Dropped, Portion, PortionAnswer } from "./worker.ts";

/** Who is told what the thread does. */
export interface ThreadOwner {
  /** The answer to the oldest portion that has none. */
  heard(answer: PortionAnswer): void;
  /** It has ended, asked to or not: nothing more comes, and it uses no descriptor any more. */
  ended(thread: DigestThread): void;
}

/** One thread, from its start to its end. 10 MiB, and its buffer. */
export class DigestThread {
  readonly #worker: Worker;

  constructor(owner: ThreadOwner) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), {
      ref: false,
      smol: true,
    });
    this.#worker.onmessage = ({ data }: MessageEvent<PortionAnswer>) => owner.heard(data);
    // Its end follows. Unheard, an error of the thread would become one of the whole process.
    this.#worker.onerror = (event) => event.preventDefault();
    this.#worker.addEventListener("close", () => owner.ended(this));
  }

  /** Gives it a portion, or tells it what it need not keep. */
  send(message: Portion | Dropped): void {
    this.#worker.postMessage(message);
  }

  /** Ends it; a call of the kernel that is under way is waited for in the background. */
  end(): void {
    this.#worker.terminate();
  }
}
