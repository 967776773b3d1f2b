/**
 * ContentOutput: stdout for the contents of files, byte for byte. Our own lines go to stdout by
 * TextOutput (text.ts). On a terminal it refuses binary content, as curl does: content with a NUL
 * among its first bytes.
 *
 * A write waits as long as the reader of stdout takes; a failed write is thrown at that call.
 */
import { LocalError } from "../../destination/error.ts";
import { FdSink, type Sink } from "../../receive/sink.ts";
import { writeFully } from "../../sys/shortcount.ts";
import { kernel } from "../../sys/kernel.ts";

const STDOUT = 1;
const STDERR = 2;
const LF = 10;

/** Stdout as it takes contents, one after the other. */
export class ContentOutput {
  /** The last byte written; LF when there is none. */
  lastByte = LF;
  /** Binary content is refused. */
  readonly #textOnly: boolean;

  /** `binary`: binary content may go to a terminal too. */
  constructor(binary: boolean) {
    this.#textOnly = !binary && kernel.isTerminal(STDOUT);
  }

  /** A sink for the content of one file. */
  sink(): Sink {
    return new OutputSink(this, this.#textOnly);
  }

  /** Ends an unfinished line on stderr, so that a prompt starts on a line of its own. */
  freshLine(): void {
    if (this.lastByte !== LF) writeFully(STDERR, Uint8Array.of(LF));
    this.lastByte = LF;
  }
}

// --- internal ---

class OutputSink implements Sink {
  readonly #output: ContentOutput;
  readonly #out = new FdSink(STDOUT, "standard output");
  /** The first chunk is still to be checked for a NUL. */
  #unchecked: boolean;

  constructor(output: ContentOutput, textOnly: boolean) {
    this.#output = output;
    this.#unchecked = textOnly;
  }

  get written(): number {
    return this.#out.written;
  }

  begin(_promised: number): void {}

  write(chunk: Uint8Array): void {
    if (this.#unchecked && chunk.includes(0)) {
      const text =
        "binary content is not printed to a terminal (> FILE keeps it, --binary prints it)";
      throw new LocalError("EINVAL", text, "usage");
    }
    this.#unchecked = false;
    this.#out.write(chunk);
    this.#output.lastByte = chunk.at(-1) ?? this.#output.lastByte;
  }

  end(): void {}
}
