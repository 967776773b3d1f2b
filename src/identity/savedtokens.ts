/**
 * The tokens of `cli6 login`, by server: a file of the user's own (mode 0600), a line each, the
 * last one of a server being the one in force. A line's server is its whole URL, so that a token
 * that was given for TLS is never shown without.
 */
import fs from "node:fs";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";
import { guarded, replacePrivate, textOf } from "./privatefile.ts";

const WHAT = "the saved tokens";

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
  guarded(WHAT, "written", file, () => {
    const others = read(file)
      .split("\n")
      .filter((line) => line !== "" && line.split(" ")[0] !== server);
    const lines = token === "" ? others : [...others, `${server} ${token}`];
    replacePrivate(file, lines.map((line) => `${line}\n`).join(""));
  });
}

// --- internal ---

/** Throws Failure (local) also where others can read it: then it is nobody's secret any more. */
function read(file: string): string {
  return guarded(WHAT, "read", file, () => {
    const text = textOf(file, FILE_BYTES_MAX);
    const mode = fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) === 0) return text;
    const why = `others may read the tokens in ${printableText(file)}: chmod 600`;
    throw new Failure("local", "EACCES", `EACCES: ${why}`);
  });
}
