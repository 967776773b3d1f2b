/**
 * A file that says what a server does: read only where nobody but root and who starts the server
 * could have written it. Whoever may write it could have other folders served, and to whom.
 */
import fs from "node:fs";
import { codeOf } from "../../sys/errno.ts";
import { type NamedFile, wrongFile } from "../flags/filecontent.ts";

/**
 * Bytes of such a file: with all settings and roots it has some 5 KB. Workers get it by a variable,
 * of which Linux takes 128 KiB.
 */
export const CONFIG_BYTES_MAX = 64 * 1024;

const WRITABLE_BY_OTHERS = 0o022;

/**
 * The text of `file`. Throws UsageError, which names it, when it can't be read, is no regular file
 * (nothing is waited for: a pipe is refused), belongs to somebody else than root and this process's
 * user, may be written by a group or by all, is too large or no UTF-8. It is judged by its
 * descriptor, so that what is read is what was judged; the folders it is in are not judged.
 */
export function trustedText(file: NamedFile): string {
  let fd = -1;
  try {
    const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
    fd = fs.openSync(file.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    const fault = faultOf(fs.fstatSync(fd));
    if (fault !== null) throw wrongFile(file, fault);
    return textOf(file, fd);
  } catch (error) {
    // Errors of Node's have a code, and ours is thrown as it is.
    if (!(error instanceof Error && "code" in error)) throw error;
    throw wrongFile(file, `can't be read (${codeOf(error)})`);
  } finally {
    if (fd >= 0) fs.closeSync(fd);
  }
}

// --- internal ---

function faultOf(facts: fs.Stats): string | null {
  const user = process.geteuid?.() ?? facts.uid;
  if (!facts.isFile()) return "is no regular file";
  if (facts.uid !== 0 && facts.uid !== user) {
    return `belongs to the user ${facts.uid}, who is neither root nor who starts the server: chown it`;
  }
  if ((facts.mode & WRITABLE_BY_OTHERS) !== 0) return "can be written by others: chmod go-w";
  return null;
}

function textOf(file: NamedFile, fd: number): string {
  const bytes = Buffer.alloc(CONFIG_BYTES_MAX + 1);
  let count = 0;
  for (let got = -1; got !== 0 && count < bytes.length; count += got) {
    got = fs.readSync(fd, bytes, count, bytes.length - count, count);
  }
  if (count > CONFIG_BYTES_MAX) {
    throw wrongFile(file, `has more than ${CONFIG_BYTES_MAX} bytes`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, count));
  } catch {
    throw wrongFile(file, "is no text in UTF-8");
  }
}
