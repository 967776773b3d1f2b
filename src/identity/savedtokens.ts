/**
 * The tokens of `cli6 login`, by server: a file of the user's own (mode 0600), a line each, the
 * last one of a server being the one in force. A line's server is its whole URL, so that a token
 * that was given for TLS is never shown without.
 */
import fs from "node:fs";
import path from "node:path";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";

/** 10,000 servers. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;

/** The token that was saved for `server`, a URL as "s6s://nas:6464"; null where there is none. */
export function savedToken(file: string, server: string): string | null {
  const lines = read(file).split("\n");
  for (const line of lines.toReversed()) {
    const [name, token] = line.split(" ");
    if (name === server) return token === undefined || token === "" ? null : token;
  }
  return null;
}

/** Saves `token` for `server`, or takes away what was saved ("" as token). */
export function saveToken(file: string, server: string, token: string): void {
  guarded(file, "written", () => {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const others = read(file)
      .split("\n")
      .filter((line) => line !== "" && line.split(" ")[0] !== server);
    const lines = token === "" ? others : [...others, `${server} ${token}`];
    const fresh = `${file}.${process.pid}`;
    fs.writeFileSync(fresh, lines.map((line) => `${line}\n`).join(""), { mode: 0o600, flag: "wx" });
    fs.renameSync(fresh, file);
  });
}

// --- internal ---

/** Throws Failure (local) also where others can read it: then it is nobody's secret any more. */
function read(file: string): string {
  return guarded(file, "read", () => {
    const facts = fs.statSync(file, { throwIfNoEntry: false });
    if (facts === undefined) return "";
    if (facts.size > FILE_BYTES_MAX) throw Object.assign(new Error(), { code: "EFBIG" });
    if ((facts.mode & 0o077) !== 0) {
      const text = `EACCES: others may read the tokens in ${printableText(file)}: chmod 600`;
      throw new Failure("local", "EACCES", text);
    }
    return fs.readFileSync(file, "utf8");
  });
}

function guarded<T>(file: string, done: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "EIO";
    const text = `${code}: the saved tokens can't be ${done}: ${printableText(file)}`;
    throw new Failure("local", code, text);
  }
}
