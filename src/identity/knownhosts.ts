/**
 * The servers that were seen, and by which certificate: a file of the user's own (mode 0600), a
 * line each, the last one of a server being the one in force. Appended to, never rewritten: a
 * person may edit it, and programs beside each other lose nothing.
 *
 *   nas:6464 sha256:5c1f...
 *   files.example.org:443 authority
 */
import fs from "node:fs";
import path from "node:path";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";

/** Larger than any hand-kept list: 100,000 servers. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = fs.constants;

/** One file of known hosts; it need not exist. */
export class KnownHosts {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /**
   * What was noted of `server` last, or null. Throws Failure (local) where the file can't be read.
   */
  of(server: string): string | null {
    const lines = this.#read().split("\n");
    for (const line of lines.toReversed()) {
      const [name, noted] = line.split(" ");
      if (name === server && noted !== undefined && noted !== "") return noted;
    }
    return null;
  }

  /** Notes `what` of `server`. Throws Failure (local) where that can't be kept. */
  note(server: string, what: string): void {
    this.#guarded("written", () => {
      fs.mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
      const fd = fs.openSync(this.file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
      try {
        fs.writeSync(fd, `${server} ${what}\n`);
      } finally {
        fs.closeSync(fd);
      }
    });
  }

  // --- internal ---

  #read(): string {
    return this.#guarded("read", () => {
      const facts = fs.statSync(this.file, { throwIfNoEntry: false });
      if (facts === undefined) return "";
      if (facts.size > FILE_BYTES_MAX) throw Object.assign(new Error(), { code: "EFBIG" });
      return fs.readFileSync(this.file, "utf8");
    });
  }

  #guarded<T>(done: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "EIO";
      const text = `${code}: the known hosts can't be ${done}: ${printableText(this.file)}`;
      throw new Failure("local", code, text);
    }
  }
}
