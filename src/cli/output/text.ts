/**
 * Standard output for lines that we make ourselves: listings, facts, digests. What was printed is
 * out when print() returns, so that a listing of any length needs the memory of one page.
 */
import { localFailure } from "../../client/error.ts";
import { LocalError } from "../../destination/error.ts";
import { FdSink } from "../../receive/sink.ts";
import { kernel } from "../../sys/kernel.ts";
import { bufferOf, type ByteString } from "../../wire/bytes.ts";

const STDOUT = 1;

/** Standard output. All methods throw ClientError (exit 9) when it takes no more. */
export class TextOutput {
  /** A person looks at it: nothing of a peer's goes out unescaped. */
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
