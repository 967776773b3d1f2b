/**
 * Files of a user's own, mode 0600 in folders of mode 0700: whole under their name, or not there,
 * whatever ends a program that writes one.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { codeOf } from "../sys/errno.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";

/** Makes `file`; leaves what is there, also what another program made meanwhile. */
export function createPrivate(file: string, content: string | Buffer): void {
  written(file, content, (fresh) => {
    try {
      fs.linkSync(fresh, file);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    fs.unlinkSync(fresh);
  });
}

/** Makes `file`, or puts another in its place. */
export function replacePrivate(file: string, content: string | Buffer): void {
  written(file, content, (fresh) => fs.renameSync(fresh, file));
}

/** The text of `file`, "" where there is none; throws EFBIG above `bytesMax`. */
export function textOf(file: string, bytesMax: number): string {
  const facts = fs.statSync(file, { throwIfNoEntry: false });
  if (facts === undefined) return "";
  if (facts.size > bytesMax) throw Object.assign(new Error(), { code: "EFBIG" });
  return fs.readFileSync(file, "utf8");
}

/** What `action` returns; throws Failure (local) that says of what kind `file` is. */
export function guarded<T>(what: string, done: string, file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = codeOf(error);
    throw new Failure("local", code, `${code}: ${what} can't be ${done}: ${printableText(file)}`);
  }
}

// --- internal ---

/** The name beside `file` is nobody else's: two containers have processes of one number. */
function written(file: string, content: string | Buffer, publish: (fresh: string) => void): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    fs.writeFileSync(fresh, content, { mode: 0o600, flag: "wx", flush: true });
    publish(fresh);
  } catch (error) {
    fs.rmSync(fresh, { force: true });
    throw error;
  }
}
