/**
 * What a disk is asked to do, in order, and what it may hold when the power goes: recorded at the
 * table of system calls, so that the code that is recorded is the real one. A name or a byte is
 * sure to be there only after the sync of its folder or file; before that anything since the last
 * sync may be there, or not.
 */
import fs from "node:fs";
import { type Kernel, kernel } from "../../src/sys/kernel.ts";
import { AT_FDCWD, OPEN } from "../../src/sys/types.ts";

/** One call that changes what is on the disk, or makes it sure. Files and folders by inode. */
export type DiskCall =
  | { readonly call: "name"; readonly folder: number; readonly name: string; readonly ino: number }
  | { readonly call: "unname"; readonly folder: number; readonly name: string }
  | { readonly call: "change"; readonly ino: number; readonly content: Content }
  /** All that was done before the call number `upTo`. */
  | { readonly call: "sync"; readonly ino: number; readonly upTo: number }
  | { readonly call: "syncfs" }
  | { readonly call: "mark"; readonly text: string };

/** A file's content at one moment: its length and digest. */
export type Content = string;

/** The content of `bytes` as the log has it. */
export function contentOf(bytes: Uint8Array): Content {
  return `${bytes.length}:${Bun.hash.xxHash3(bytes)}`;
}

type Table = Record<string, (...args: never[]) => number>;

/** Records from its making until it is disposed of. */
export class DiskLog implements Disposable {
  readonly calls: DiskCall[] = [];
  readonly #real = { ...kernel };
  readonly #fsync = fs.fsync;
  readonly #names = new Set<string>();

  constructor() {
    this.#files();
    this.#folders();
    this.#syncs();
  }

  /** Notes that something was reported. */
  mark(text: string): void {
    this.calls.push({ call: "mark", text });
  }

  [Symbol.dispose](): void {
    Object.assign(kernel, this.#real);
    Object.assign(fs, { fsync: this.#fsync });
  }

  // --- internal ---

  #wrap<K extends keyof Kernel>(
    row: K,
    make: (real: Kernel[K] & ((...args: never[]) => number)) => Kernel[K],
  ): void {
    const real = this.#real[row] as Kernel[K] & ((...args: never[]) => number);
    (kernel as unknown as Table)[row] = make(real) as unknown as Table[string];
  }

  #files(): void {
    const changing = <A extends unknown[]>(real: (...args: A) => number, fdAt: number) =>
      ((...args: A) => {
        const answer = real(...args);
        if (answer >= 0) this.#changed(args[fdAt] as number);
        return answer;
      }) as never;
    for (const row of ["pwrite", "fallocate", "ftruncate", "setMtime", "setAttribute"] as const) {
      this.#wrap(row, (real) => changing(real as (...args: unknown[]) => number, 0));
    }
    this.#wrap("spliceOut", (real) => changing(real, 1));
    this.#wrap("openat", (real) => (folder, name, flags, mode) => {
      const fd = real(folder, name, flags, mode);
      const made = fd >= 0 && (flags & OPEN.create) !== 0;
      if (made && !this.#names.has(keyOf(inoOf(folder), name))) {
        this.#named(folder, name);
        this.#changed(fd);
      }
      return fd;
    });
  }

  #folders(): void {
    this.#wrap("mkdirat", (real) => (folder, name, mode) => {
      const answer = real(folder, name, mode);
      if (answer === 0) this.#named(folder, name);
      return answer;
    });
    this.#wrap("unlinkat", (real) => (folder, name, directory) => {
      const answer = real(folder, name, directory);
      if (answer === 0) this.#unnamed(folder, name);
      return answer;
    });
    this.#wrap("renameat", (real) => (fromFolder, from, toFolder, to, replace) => {
      const answer = real(fromFolder, from, toFolder, to, replace);
      if (answer === 0) {
        this.#named(toFolder, to);
        this.#unnamed(fromFolder, from);
      }
      return answer;
    });
    this.#wrap("linkat", (real) => (fromFolder, from, toFolder, to) => {
      const answer = real(fromFolder, from, toFolder, to);
      if (answer === 0) this.#named(toFolder, to);
      return answer;
    });
  }

  #syncs(): void {
    this.#wrap("fsync", (real) => (fd) => {
      const answer = real(fd);
      if (answer === 0) this.calls.push({ call: "sync", ino: inoOf(fd), upTo: this.calls.length });
      return answer;
    });
    this.#wrap("syncfs", (real) => (fd) => {
      const answer = real(fd);
      if (answer === 0) this.calls.push({ call: "syncfs" });
      return answer;
    });
    const real = this.#fsync;
    const fsync: typeof fs.fsync = Object.assign(
      (fd: number, done: fs.NoParamCallback) => {
        // Sure is what had been written when it was called, and not before it has ended.
        const call = { call: "sync", ino: inoOf(fd), upTo: this.calls.length } as const;
        real(fd, (error) => {
          if (error === null || error === undefined) this.calls.push(call);
          done(error);
        });
      },
      { __promisify__: real.__promisify__ },
    );
    Object.assign(fs, { fsync });
  }

  #named(folder: number, name: string): void {
    const at = inoOf(folder);
    const ino = Number(fs.lstatSync(pathOf(folder, name)).ino);
    this.#names.add(keyOf(at, name));
    this.calls.push({ call: "name", folder: at, name: lastOf(name), ino });
  }

  #unnamed(folder: number, name: string): void {
    const at = inoOf(folder);
    this.#names.delete(keyOf(at, name));
    this.calls.push({ call: "unname", folder: at, name: lastOf(name) });
  }

  #changed(fd: number): void {
    const content = contentOf(fs.readFileSync(`/proc/self/fd/${fd}`));
    this.calls.push({ call: "change", ino: inoOf(fd), content });
  }
}

// --- internal ---

function keyOf(folder: number, name: string): string {
  return `${folder}/${name}`;
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

function pathOf(folder: number, name: string): string {
  return folder === AT_FDCWD ? name : `/proc/self/fd/${folder}/${name}`;
}

function inoOf(fd: number): number {
  return fd === AT_FDCWD ? 0 : Number(fs.fstatSync(fd).ino);
}
