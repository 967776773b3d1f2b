/**
 * Objects that were asked for lately, by their keys: what they are, and small ones with their
 * content. The one not asked for longest goes first. It asks nobody: who uses one decides how long
 * it is believed.
 */
import type { ObjectFile } from "./object.ts";

/** Objects kept. */
export const KEPT_OBJECTS_MAX = 8192;

/** Bytes of contents among them. */
export const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/** Objects by key. */
export class KeptObjects {
  /** The least recently used first. */
  readonly #files = new Map<string, ObjectFile>();
  #bytes = 0;

  get size(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What is kept under `key`, which is used now. */
  get(key: string): ObjectFile | undefined {
    const file = this.#files.get(key);
    if (file === undefined) return undefined;
    this.#files.delete(key);
    this.#files.set(key, file);
    return file;
  }

  put(key: string, file: ObjectFile): void {
    this.drop(key);
    this.#files.set(key, file);
    this.#bytes += file.held;
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= KEPT_OBJECTS_MAX && this.#bytes <= KEPT_BYTES_MAX) return;
      this.drop(oldest);
    }
  }

  drop(key: string): void {
    this.#bytes -= this.#files.get(key)?.held ?? 0;
    this.#files.delete(key);
  }

  clear(): void {
    this.#files.clear();
    this.#bytes = 0;
  }
}
