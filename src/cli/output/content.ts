/**
 * Standard output as the place where contents go. On a terminal it refuses what would only garble
 * it, as curl does: content whose first bytes hold a NUL.
 */
import { LocalError } from "../../destination/error.ts";
import { FdSink, type Sink } from "../../receive/sink.ts";
import { writeFully } from "../../sys/shortcount.ts";
import { kernel } from "../../sys/kernel.ts";

const STDOUT = 1;
const STDERR = 2;
const LF = 10;

/** Standard output. */
export class ContentOutput {
  /** The last byte that went out, or LF. */
  lastByte = LF;
  readonly #guarded: boolean;

  /** `binary`: anything may go to a terminal too. */
  constructor(binary: boolean) {
    this.#guarded = !binary && kernel.isTerminal(STDOUT);
  }

  /** A sink for one answer. */
  sink(): Sink {
    return new OutputSink(this, this.#guarded);
  }

  /** Before a prompt: content that ends within a line does not swallow it. */
  freshLine(): void {
    if (this.lastByte !== LF) writeFully(STDERR, Uint8Array.of(LF));
    this.lastByte = LF;
  }
}

// --- internal ---

class OutputSink implements Sink {
  readonly #output: ContentOutput;
  readonly #out = new FdSink(STDOUT, "standard output");
  /** The first bytes are still to be looked at. */
  #guarded: boolean;

  constructor(output: ContentOutput, guarded: boolean) {
    this.#output = output;
    this.#guarded = guarded;
  }

  get written(): number {
    return this.#out.written;
  }

  begin(_promised: number): void {}

  write(chunk: Uint8Array): void {
    if (this.#guarded && chunk.includes(0)) {
      const text =
        "binary content is not printed to a terminal (> FILE keeps it, --binary prints it)";
      throw new LocalError("EINVAL", text, "usage");
    }
    this.#guarded = false;
    this.#out.write(chunk);
    this.#output.lastByte = chunk.at(-1) ?? this.#output.lastByte;
  }

  end(): void {}
}
