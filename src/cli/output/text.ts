/**
 * TextOutput: stdout for the lines that cli6 writes itself: listings, facts, digests. Contents of
 * files go to stdout by ContentOutput (content.ts).
 *
 * Nothing is buffered: the bytes have been written when print() returns, so that a listing of any
 * length needs the memory of one page.
 */
import { localFailure } from "../../client/error.ts";
import { LocalError } from "../../destination/error.ts";
import { FdSink } from "../../receive/sink.ts";
import { ERRNO } from "../../sys/errno.ts";
import { kernel } from "../../sys/kernel.ts";
import { writeFully } from "../../sys/shortcount.ts";
import { bufferOf, type ByteString } from "../../wire/bytes.ts";
import { EXIT, PIPE_CLOSED } from "./exit.ts";

const STDOUT = 1;

/**
 * Writes the answer of `--help`, `--version` or `--completions` to stdout, with a line break behind
 * it. Gives the exit status: 0, or that of a failed write.
 */
export function printAnswer(answer: string): number {
  const failed = writeFully(STDOUT, Buffer.from(`${answer}\n`));
  if (failed === -ERRNO.EPIPE) return PIPE_CLOSED;
  return failed < 0 ? EXIT.localDisk : EXIT.done;
}

/** Stdout as it takes lines. All methods throw ClientError (exit 9) when a write fails. */
export class TextOutput {
  /** True for a terminal: then every name from a peer must be escaped. */
  readonly terminal = kernel.isTerminal(STDOUT);
  readonly #sink = new FdSink(STDOUT, "standard output");

  /** Text as UTF-8, with its line breaks. */
  print(text: string): void {
    this.#write(Buffer.from(text, "utf8"));
  }

  /** Bytes, one a character, with their line breaks. Not for a terminal. */
  printBytes(bytes: ByteString): void {
    this.#write(bufferOf(bytes));
  }

  // --- internal ---

  #write(bytes: Uint8Array): void {
    try {
      this.#sink.write(bytes);
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
      throw localFailure(error, error.message);
    }
  }
}
