/**
 * The system calls that make and publish files, which downloads need: a part of the table in
 * kernel.ts. They answer a result >= 0 or a negative errno, never throw, and refuse a bad fd. Names
 * are byte strings without NUL, relative to a directory's descriptor.
 */
import type { ByteString } from "./types.ts";

/** Making, filling, publishing and removing files. */
export interface DiskRows {
  /** mkdirat(2): 0, -EEXIST, any error of the file system. */
  mkdirat(dirfd: number, name: ByteString, mode: number): number;
  /** unlinkat(2) of a file, or of an empty directory: 0, -ENOENT, -ENOTEMPTY, ... */
  unlinkat(dirfd: number, name: ByteString, directory: boolean): number;
  /**
   * renameat2(2). Without `replace` an existing `to` is -EEXIST and stays; -EINVAL where the file
   * system can't promise that. Atomic: at each moment `to` is the old file or the new one.
   */
  renameat(
    fromfd: number,
    from: ByteString,
    tofd: number,
    to: ByteString,
    replace: boolean,
  ): number;
  /** linkat(2), a second name for a file: 0, -EEXIST, -EPERM where there are none. */
  linkat(fromfd: number, from: ByteString, tofd: number, to: ByteString): number;

  /** pwrite(2) of `count` bytes at `offset`: bytes taken (fewer on a full disk) or -errno. */
  pwrite(fd: number, bytes: Uint8Array, count: number, offset: bigint): number;
  /**
   * Reserves the first `size` bytes of a file, which then has at least that size: 0, -ENOSPC,
   * -EOPNOTSUPP where the file system can't (fallocate(2)).
   */
  fallocate(fd: number, size: bigint): number;
  /**
   * A new file in memory, for nobody else (memfd_create(2), Linux 3.17): its fd or -errno. Its
   * pages may be swapped out; `name` is what /proc shows.
   */
  memfd(name: string): number;
  /**
   * Gives the pages of a range back, which then reads as zeros; who still has such a page, a socket
   * that sends it, keeps it as it was (fallocate(2), FALLOC_FL_PUNCH_HOLE). 0 or -errno. Whole
   * pages only: parts of one are overwritten with zeros.
   */
  punchHole(fd: number, offset: bigint, length: number): number;
  /**
   * Lets `to` share the blocks of `from` at the same offsets, so that nothing is copied
   * (ioctl_ficlonerange(2)): 0; -EOPNOTSUPP or -ENOTTY where the file system shares none, -EXDEV
   * between two, -EINVAL for what is no whole block.
   */
  cloneRange(to: number, from: number, offset: bigint, length: number): number;
  /**
   * Copies within the kernel, at the same offset (copy_file_range(2), Linux 4.5): bytes, 0 at the
   * end of `from`, -ENOSPC, -EXDEV between some file systems, -ENOSYS.
   */
  copyRange(to: number, from: number, offset: bigint, length: number): number;
  /** ftruncate(2): 0 or -errno. */
  ftruncate(fd: number, size: bigint): number;
  /**
   * Sets mtime, in nanoseconds since 1970, and leaves atime (futimens(3)): 0 or -errno. Without
   * FFI it is cut to milliseconds, and atime is set as well.
   */
  setMtime(fd: number, mtime: bigint): number;
  /** The first offset >= `offset` that holds data (lseek(2) SEEK_DATA); -ENXIO: none. */
  nextData(fd: number, offset: bigint): number;
  /**
   * Locks the open file for this program alone (flock(2)): 0, or at once -EAGAIN: another has it.
   * -ENOLCK where the file system has no locks to give, -ENOSYS without FFI.
   */
  lock(fd: number): number;

  /** fsync(2): the file, or a directory's names, outlive a power cut. 0, -EIO, -ENOSPC, ... */
  fsync(fd: number): number;
  /** syncfs(2): the same for all of the file system at once. 0, or -EIO, ... */
  syncfs(fd: number): number;
  /**
   * Starts writing a range to the disk and does not wait (sync_file_range(2)), so that a later
   * fsync has little to do (decision 0015). 0 or -errno.
   */
  startSync(fd: number, offset: bigint, count: number): number;

  /**
   * Sets an extended attribute of at most 255 bytes (fsetxattr(2)): 0, or -EOPNOTSUPP, -ENOSPC,
   * -E2BIG for more.
   */
  setAttribute(fd: number, name: string, value: string): number;
  /** Its value, at most 255 bytes, or -errno: -ENODATA when it has none (fgetxattr(2)). */
  attribute(fd: number, name: string): string | number;
}
