/**
 * The power goes behind each call of a log: what may then be found under a name. Only what was
 * synced is sure; of the rest any mixture may have reached the disk, or nothing.
 */
import fs from "node:fs";
import { type Content, contentOf, type DiskCall } from "./disklog.ts";

/** What may be found beside contents. */
export const ABSENT = "absent";
const TORN = "torn";

/** The inode of no file. */
const NONE = 0;

/** A disk as a power cut may leave it. */
export class PowerCut {
  /** The destination's inode. */
  readonly top: number;
  /** By folder and name: the inodes that it may be, the last one being what it is now. */
  #names = new Map<number, Map<string, number[]>>();
  /** By file: its contents since the last sync, and when each was written. */
  #contents = new Map<number, { readonly at: number; readonly content: Content }[]>();
  #at = 0;

  private constructor(top: number) {
    this.top = top;
  }

  /** Begins with what lies in the folder `root`, all of it synced. */
  static load(root: string): PowerCut {
    const disk = new PowerCut(fs.lstatSync(root).ino);
    disk.#load(root);
    disk.#syncAll();
    return disk;
  }

  /** A disk of its own, as this one is now. */
  copy(): PowerCut {
    const disk = new PowerCut(this.top);
    disk.#names = structuredClone(this.#names);
    disk.#contents = structuredClone(this.#contents);
    disk.#at = this.#at;
    return disk;
  }

  /** The next call is made. */
  apply(call: DiskCall): void {
    if (call.call === "name") this.#name(call.folder, call.name, call.ino);
    else if (call.call === "unname") this.#name(call.folder, call.name, NONE);
    else if (call.call === "change") this.#change(call.ino, call.content);
    else if (call.call === "sync") this.#sync(call.ino, call.upTo);
    else if (call.call === "syncfs") this.#syncAll();
    this.#at += 1;
  }

  /** All that may be under `path` if the power goes now: contents, ABSENT or worse. */
  found(path: string, from = this.top): Set<string> {
    const slash = path.indexOf("/");
    const name = slash < 0 ? path : path.slice(0, slash);
    const found = new Set<string>();
    for (const ino of this.#names.get(from)?.get(name) ?? [NONE]) {
      if (ino === NONE) found.add(ABSENT);
      else if (slash < 0) found.add(this.#contentOf(ino));
      else for (const each of this.found(path.slice(slash + 1), ino)) found.add(each);
    }
    return found;
  }

  // --- internal ---

  #load(root: string): number {
    const { ino } = fs.lstatSync(root);
    for (const entry of fs.readdirSync(root, { withFileTypes: true })) {
      const path = `${root}/${entry.name}`;
      const inner = entry.isDirectory() ? this.#load(path) : fs.lstatSync(path).ino;
      this.#name(ino, entry.name, inner);
      if (entry.isFile()) this.#change(inner, contentOf(fs.readFileSync(path)));
    }
    return ino;
  }

  #contentOf(ino: number): string {
    const [only, ...others] = this.#contents.get(ino) ?? [];
    return only === undefined || others.length > 0 ? TORN : only.content;
  }

  #name(folder: number, name: string, ino: number): void {
    const names = this.#names.get(folder) ?? new Map<string, number[]>();
    this.#names.set(folder, names.set(name, [...(names.get(name) ?? [NONE]), ino]));
  }

  /** A new file is empty and not synced: its first content is the second of two. */
  #change(ino: number, content: Content): void {
    const had = this.#contents.get(ino) ?? [{ at: this.#at, content: TORN }];
    this.#contents.set(ino, [...had, { at: this.#at, content }]);
  }

  /** What was there when the call `upTo` was made is sure. */
  #sync(ino: number, upTo: number): void {
    const contents = this.#contents.get(ino) ?? [];
    const sure = contents.findLastIndex(({ at }) => at < upTo || at === 0);
    if (sure >= 0) this.#contents.set(ino, contents.slice(sure));
    const names = this.#names.get(ino);
    for (const [name, inodes] of names ?? []) names?.set(name, inodes.slice(-1));
  }

  #syncAll(): void {
    for (const ino of new Set([...this.#names.keys(), ...this.#contents.keys()])) {
      this.#sync(ino, Infinity);
    }
  }
}

/** A file in its versions: the content it had, and the one it gets. */
export interface Versions {
  /** ABSENT when there was none. */
  readonly old: Content;
  readonly new: Content;
}

/**
 * Cuts the power behind each of `calls`, which began on `before`: each of `files` must be old or
 * new, and new alone once it was marked as reported. What is wrong, one line each; and how many
 * cuts there were.
 */
export function cutEverywhere(
  before: PowerCut,
  calls: readonly DiskCall[],
  files: ReadonlyMap<string, Versions>,
): { readonly wrong: string[]; readonly cuts: number } {
  const disk = before.copy();
  const wrong: string[] = [];
  const reported = new Set<string>();
  for (const [nth, call] of calls.entries()) {
    disk.apply(call);
    if (call.call === "mark") reported.add(call.text);
    for (const [path, versions] of files) {
      const right = reported.has(path) ? [versions.new] : [versions.old, versions.new];
      const bad = [...disk.found(path)].filter((each) => !right.includes(each));
      if (bad.length === 0) continue;
      const done = reported.has(path) ? ", reported" : "";
      wrong.push(`behind call ${nth} (${call.call}): ${path}${done} may be ${bad.join(", ")}`);
    }
  }
  return { wrong, cuts: calls.length };
}
