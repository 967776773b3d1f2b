/**
 * The lexical part of confinement: turns the path of a request into one relative to the root, or
 * refuses it, before any system call. Symbolic links and races are the kernel's part (openat2, in
 * store/).
 */
import { Refusal } from "./errors.ts";
import { printable } from "./printable.ts";
import type { ByteString } from "./bytes.ts";

/** The root itself, as a relative path. */
export const HERE: ByteString = ".";

/**
 * `path` without leading, doubled or `.` components, keeping one trailing slash (it asks for a
 * directory). `..` in any place is EACCES even where it would stay inside: openat2 answers EAGAIN
 * for it under unrelated renames (openat2(2)). A NUL is EINVAL: the kernel would cut the name
 * there.
 */
export function relativeOf(path: ByteString): ByteString | Refusal {
  if (isSimple(path)) return path.slice(1);
  if (path.includes("\0")) return new Refusal("EINVAL", `NUL byte in path: ${printable(path)}`);
  const kept: ByteString[] = [];
  for (const name of path.split("/")) {
    if (name === "..") return new Refusal("EACCES", printable(path));
    if (name !== "" && name !== ".") kept.push(name);
  }
  if (kept.length === 0) return HERE;
  const directory = path.endsWith("/") || path.endsWith("/.");
  return directory ? `${kept.join("/")}/` : kept.join("/");
}

/**
 * True when some component starts with a dot: `.git/config`, `a/.env`. `relative` comes from
 * relativeOf().
 */
export function isHidden(relative: ByteString): boolean {
  if (relative === HERE) return false;
  return relative.startsWith(".") || relative.includes("/.");
}

// --- internal ---

/**
 * True for the common form, "/a/b" without a component that starts with a dot: checked in one pass
 * without an allocation.
 */
function isSimple(path: ByteString): boolean {
  const count = path.length;
  if (count < 2 || path.charCodeAt(0) !== 47) return false;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const code = path.charCodeAt(i);
    if (code === 0 || (previous === 47 && (code === 47 || code === 46))) return false;
    previous = code;
  }
  return true;
}
