/**
 * The list that `get -i` reads: paths or URLs, one a line or each ended by a NUL byte, as bytes. It
 * is held whole, since nothing is fetched before all names are known to differ.
 */
import fs from "node:fs";
import { ClientError, usageError } from "../../client/error.ts";
import { codeOf } from "../../sys/errno.ts";
import { bufferOf, type ByteString, byteStringOf } from "../../wire/bytes.ts";
import { printable } from "../../wire/printable.ts";
import { LINE_BYTES_MAX } from "../../wire/vocabulary.ts";

/** Paths of one list. Each is asked for before the first file comes, and is held until the end. */
export const LISTED_PATHS_MAX = 100_000;

/** Bytes of one path: what a request takes, each of them escaped in a URL, and a server. */
const PATH_BYTES_MAX = 4 * LINE_BYTES_MAX;

/**
 * The paths in `file`, "-" being standard input, in their order; empty ones are skipped. `ended`:
 * each ends in NUL; else in LF, whose CR is dropped. Rejects with ClientError: "usage" when there
 * are too many or one is too long, "local" when it can't be read.
 */
export async function readPathList(file: ByteString, ended: boolean): Promise<ByteString[]> {
  const mark = ended ? "\0" : "\n";
  const paths: ByteString[] = [];
  let rest = "";
  const take = (path: ByteString): void => {
    const bare = ended ? path : path.replace(/\r$/, "");
    if (bare !== "") paths.push(bare);
    if (bare.length > PATH_BYTES_MAX) {
      throw refused(
        file,
        `a path is over ${PATH_BYTES_MAX} bytes (-0 is for lists that find -print0 writes)`,
      );
    }
    if (paths.length > LISTED_PATHS_MAX) throw refused(file, `more than ${LISTED_PATHS_MAX} paths`);
  };
  for await (const chunk of chunksOf(file)) {
    const parts = (rest + byteStringOf(chunk)).split(mark);
    rest = parts.pop() ?? "";
    parts.forEach(take);
    // A list of the other kind has no mark at all.
    if (rest.length > PATH_BYTES_MAX) take(rest);
  }
  take(rest);
  return paths;
}

// --- internal ---

function nameOf(file: ByteString): string {
  return file === "-" ? "standard input" : printable(file);
}

function refused(file: ByteString, what: string): ClientError {
  return usageError(`${nameOf(file)}: ${what}`);
}

/** The bytes of `file`; its errors as ClientError. */
async function* chunksOf(file: ByteString): AsyncGenerator<Uint8Array> {
  try {
    // Bun's streams take no path of bytes; they close the descriptor.
    yield* file === "-"
      ? Bun.stdin.stream()
      : fs.createReadStream("", { fd: fs.openSync(bufferOf(file), "r") });
  } catch (error) {
    if (error instanceof ClientError) throw error;
    const code = codeOf(error);
    throw new ClientError("local", code, `${code}: the list ${nameOf(file)} can't be read`);
  }
}
