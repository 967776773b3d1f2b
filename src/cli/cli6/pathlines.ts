/**
 * Paths from standard input, one a line, as bytes: a name that is not UTF-8 stays as it was
 * written. Memory is bounded by one chunk of input and one unfinished line; the next chunk is read
 * when the last line has been taken.
 */
import { bareTarget, type ServerAddress, type Target } from "../../client/address.ts";
import { ClientError, usageError } from "../../client/error.ts";
import { codeOf } from "../../sys/errno.ts";
import { LineReader } from "../../wire/lines.ts";
import { LINE_BYTES_MAX } from "../../wire/vocabulary.ts";

/**
 * The lines of `input` as targets on `server`, empty ones skipped, a last one without LF included.
 * Lines are literal: no escapes, no URLs. Throws ClientError: behind the last good line when one is
 * over 8,192 bytes (usage), or when the input can't be read (local).
 */
export async function* pathLines(
  input: ReadableStream<Uint8Array>,
  server: ServerAddress,
): AsyncGenerator<Target> {
  const reader = new LineReader();
  for await (const chunk of readable(input)) {
    reader.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    for (let line = reader.next(); line !== null; line = reader.next()) {
      if (line !== "") yield bareTarget(line, server);
    }
    if (reader.overflowed) throw usageError(`a line of input is over ${LINE_BYTES_MAX} bytes`);
  }
  const last = reader.peek().replace(/\r$/, "");
  if (last !== "") yield bareTarget(last, server);
}

// --- internal ---

/** `input`, with its errors as ClientError. */
async function* readable(input: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* input;
  } catch (error) {
    const code = codeOf(error);
    throw new ClientError("local", code, `${code}: standard input can't be read`);
  }
}
