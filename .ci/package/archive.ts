/**
 * The archives that a .deb is made of, so that any machine with tar makes one, with the same bytes:
 * everything belongs to root, is dated by `epoch` (seconds since 1970) and sorted by name.
 */
import { run } from "./runtime.ts";

/** A file of an archive of ar(5). */
export interface Member {
  /** At most 16 characters. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The whole of `folder` as a tar, compressed into `file` by `compressor`, a command line. */
export function tar(folder: string, file: string, epoch: number, compressor: string): void {
  const owned = ["--owner=0", "--group=0", "--numeric-owner"];
  const same = ["--sort=name", `--mtime=@${epoch}`, "--format=gnu"];
  run(["tar", "-C", folder, ...owned, ...same, "-I", compressor, "-cf", file, "."]);
}

/** An archive as in ar(5): a line before all, then a head of 60 characters and the bytes of each. */
export function ar(members: readonly Member[], epoch: number): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from("!<arch>\n")];
  for (const { name, bytes } of members) {
    const head = [
      name.padEnd(16),
      String(epoch).padEnd(12),
      "0".padEnd(6),
      "0".padEnd(6),
      "100644".padEnd(8),
      String(bytes.length).padEnd(10),
    ];
    parts.push(Buffer.from(`${head.join("")}\`\n`), bytes);
    // Members begin at even places.
    if (bytes.length % 2 === 1) parts.push(Buffer.from("\n"));
  }
  return Buffer.concat(parts);
}
