/**
 * The file that is to be replaced, as a source of bytes: what is the same in the new version is
 * taken from it. It is read only, and may change at any moment: whoever takes bytes from it
 * compares what came of them.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Folder } from "./folder.ts";
import type { Staged } from "./staged.ts";

/** Bytes copied at once where the kernel does not copy. */
const COPY_BYTES = 1024 * 1024;

/** What a file system answers that shares no blocks, or not between these two files. */
const UNSHARED: readonly number[] = [-ERRNO.EOPNOTSUPP, -ERRNO.ENOTTY, -ERRNO.ENOSYS, -ERRNO.EXDEV];

const found = new FileStat();

/** An open file of this machine (`using` closes it). */
export class Basis implements Disposable {
  readonly fd: number;
  /** Bytes that it had when it was opened. */
  readonly size: number;
  /** False once the file system has said that blocks can't be shared. */
  #shares = true;

  private constructor(fd: number, size: number) {
    this.fd = fd;
    this.size = size;
  }

  /** The regular file `name` in `folder`, through no link; null where there is none to read. */
  static open(folder: Folder, name: ByteString): Basis | null {
    const fd = kernel.openat(folder.fd, name, OPEN.readOnly | OPEN.noFollow | OPEN.nonBlocking);
    if (fd < 0) return null;
    const failed = kernel.statx(fd, "", found);
    const size = Number(found.size);
    if (failed === 0 && found.isFile && Number.isSafeInteger(size)) return new Basis(fd, size);
    kernel.close(fd);
    return null;
  }

  /**
   * Puts `length` bytes from `offset` on at the same place in `staged`: shared blocks, else copied
   * by the kernel, else read and written. False when it has no such bytes any more, or can't be
   * read. Throws LocalError (ENOSPC, EIO of `staged`).
   */
  copyTo(staged: Staged, offset: number, length: number): boolean {
    if (this.#shares) {
      const shared = kernel.cloneRange(staged.fd, this.fd, BigInt(offset), length);
      if (shared === 0) return true;
      // Not for what is no whole block alone, as the end of a file is.
      if (UNSHARED.includes(shared)) this.#shares = false;
    }
    let done = 0;
    while (done < length) {
      const at = BigInt(offset + done);
      const copied = kernel.copyRange(staged.fd, this.fd, at, length - done);
      if (copied === 0) return false;
      // Whatever it is, writing says it in words.
      if (copied < 0) return this.#write(staged, offset + done, length - done);
      done += copied;
    }
    return true;
  }

  [Symbol.dispose](): void {
    kernel.close(this.fd);
  }

  // --- internal ---

  #write(staged: Staged, offset: number, length: number): boolean {
    const buffer = Buffer.allocUnsafe(Math.min(length, COPY_BYTES));
    for (let done = 0; done < length;) {
      const at = BigInt(offset + done);
      const count = kernel.pread(this.fd, buffer, Math.min(buffer.length, length - done), at);
      if (count <= 0) return false;
      staged.write(buffer.subarray(0, count), at);
      done += count;
    }
    return true;
  }
}
