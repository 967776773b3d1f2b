/** The caller's own checksum of a file: what it must have, beside the server's digests. */
import fs from "node:fs";
import { ClientError } from "../client/error.ts";
import { must } from "../destination/error.ts";
import type { Sink } from "../receive/sink.ts";
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, OPEN } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Checksum } from "./settings.ts";
import { printable } from "../wire/printable.ts";

/** It arrived as the server has it, so that another try gives the same. */
export const ADVICE = "see whether the checksum is of this version";

/** The digest of the file `path`, read until `signal` aborts. Rejects with LocalError. */
export async function hasherOf(
  { algo }: Checksum,
  path: ByteString,
  signal: AbortSignal,
): Promise<Bun.CryptoHasher> {
  const hasher = new Bun.CryptoHasher(algo);
  const doing = (): string => `reading ${printable(path)}`;
  const fd = must(kernel.openat(AT_FDCWD, path, OPEN.readOnly), doing);
  // The stream closes it, also when the loop is left.
  for await (const chunk of fs.createReadStream("", { fd })) {
    signal.throwIfAborted();
    hasher.update(chunk);
  }
  return hasher;
}

/** Throws ClientError ("corrupt") when `hasher` has found something else than `checksum`. */
export function mustBe(
  { algo, hex }: Checksum,
  hasher: Bun.CryptoHasher,
  consequence: string,
): void {
  const found = hasher.digest("hex");
  if (found === hex) return;
  const text = `checksum mismatch: the ${algo} is ${found}, not ${hex}: ${consequence}`;
  throw new ClientError("corrupt", "EIO", text);
}

/** Computes the checksum of what goes on to another sink. */
export class HashedSink implements Sink {
  readonly hasher: Bun.CryptoHasher;
  readonly #to: Sink;

  constructor(to: Sink, { algo }: Checksum) {
    this.hasher = new Bun.CryptoHasher(algo);
    this.#to = to;
  }

  get written(): number {
    return this.#to.written;
  }

  begin(promised: number): void {
    this.#to.begin(promised);
  }

  write(chunk: Uint8Array): void {
    this.#to.write(chunk);
    this.hasher.update(chunk);
  }

  end(): void {
    this.#to.end();
  }
}
