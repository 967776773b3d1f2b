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
import { guarded, textOf } from "./privatefile.ts";

const WHAT = "the known hosts";

/** Larger than any hand-kept list: 100,000 servers. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = fs.constants;

/** One file of known hosts; it need not exist. */
export class KnownHosts {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /**
   * What was noted of `server` last, or null: a name is the same in capitals, and with the dot that
   * ends it. Throws Failure (local) where the file can't be read.
   */
  of(server: string): string | null {
    const text = guarded(WHAT, "read", this.file, () => textOf(this.file, FILE_BYTES_MAX));
    const lines = text.split("\n");
    const wanted = plainName(server);
    for (const line of lines.toReversed()) {
      const [name = "", noted = ""] = line.split(" ");
      if (noted !== "" && plainName(name) === wanted) return noted;
    }
    return null;
  }

  /** Notes `what` of `server`. Throws Failure (local) where that can't be kept. */
  note(server: string, what: string): void {
    guarded(WHAT, "written", this.file, () => {
      fs.mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
      const fd = fs.openSync(this.file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
      try {
        // A person's editor may have left the last line without its end.
        fs.writeSync(fd, `${endsLine(fd) ? "" : "\n"}${plainName(server)} ${what}\n`);
      } finally {
        fs.closeSync(fd);
      }
    });
  }
}

// --- internal ---

/** "NAS.local.:6464" is "nas.local:6464": else who is asked for so would be seen first again. */
function plainName(server: string): string {
  return server.toLowerCase().replace(/\.(?=:[0-9]+$)/, "");
}

/** Whether what is appended to the file `fd` begins a line. */
function endsLine(fd: number): boolean {
  const { size } = fs.fstatSync(fd);
  const last = Buffer.alloc(1);
  return size === 0 || (fs.readSync(fd, last, 0, 1, size - 1) === 1 && last[0] === 10);
}
