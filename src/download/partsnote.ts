/**
 * A note of which bytes of a staged file are in place, for servers that have no digests to compare
 * them with: HTTP. It lies in the attribute of the staged file that holds the etag of a published
 * one, so that it can't be without its file, and publishing overwrites it.
 *
 *   http1 BOOT KEY FIRST-END,FIRST-END,...
 *
 * KEY names the URL, the version and the size, or, where several servers bring it, the digest that
 * all of them tell: the servers may be others the next time. BOOT is the run of this machine: a
 * note may reach the disk before the bytes that it tells of, so that nobody believes it after a
 * power cut.
 *
 * Invariant: a range is noted when its bytes are written, never before, and a note of another
 * content is replaced before the first byte is.
 */
import fs from "node:fs";
import { serverKey, type ServerAddress } from "../client/address.ts";
import { ETAG_ATTRIBUTE, type Staged } from "../destination/staged.ts";
import { kernel } from "../sys/kernel.ts";
import type { RemoteFile } from "./origin.ts";
import type { FileRange } from "./plan.ts";
import type { Checksum } from "./settings.ts";

/** How often it is written at most, in milliseconds: what a kill may cost. */
const EVERY_MS = 100;

/**
 * Longest list of ranges in characters: an attribute holds 2,048 bytes. Sixteen connections make
 * about 20 ranges of 20 characters; what does not fit is fetched again.
 */
const RANGES_CHARS_MAX = 1900;

const RANGE = /^(0|[1-9][0-9]{0,15})-([1-9][0-9]{0,15})$/;

/** From byte `first` up to, and without, byte `end`. */
interface Range {
  readonly first: number;
  readonly end: number;
}

/** The content that `file` of `server` has, in a note. */
export function versionIn(server: ServerAddress, { path, entry }: RemoteFile): string {
  return `${serverKey(server)}\n${path}\n${entry.etag}\n${entry.size}`;
}

/** The content of `size` bytes that has the digest `whole`, in a note. */
export function contentIn({ algo, hex }: Checksum, size: bigint): string {
  return `${algo}:${hex}\n${size}`;
}

/** The note of one staged file. */
export class PartsNote {
  readonly #staged: Staged;
  /** How a note of this content starts; "" where there can be none. */
  readonly #start: string;
  readonly #size: number;
  /** Ascending, and apart from each other. */
  #ranges: Range[];
  #writtenMs = 0;
  #due = false;

  /**
   * Reads what an earlier run noted of `content` or of one of `parts`, which are the same under
   * other names; of anything else nothing is kept. The file has `size` bytes.
   */
  constructor(staged: Staged, size: bigint, content: string, parts: readonly string[] = []) {
    this.#staged = staged;
    this.#size = Number(size);
    const boot = bootId();
    this.#start = boot === null ? "" : startOf(boot, content);
    this.#ranges =
      boot === null ? [] : this.#read([content, ...parts].map((one) => startOf(boot, one)));
    if (this.#ranges.length === 0) this.#write();
  }

  /** True when the earlier run had written all of `range`. */
  has({ offset, length }: FileRange): boolean {
    return this.#ranges.some(({ first, end }) => first <= offset && offset + length <= end);
  }

  /** All of `range` is written. */
  add({ offset, length }: FileRange): void {
    this.#ranges = merged(this.#ranges, { first: offset, end: offset + length });
    this.#due = true;
    if (performance.now() - this.#writtenMs >= EVERY_MS) this.flush();
  }

  /** Writes what was added and not noted yet. */
  flush(): void {
    if (this.#due) this.#write();
  }

  // --- internal ---

  #read(starts: readonly string[]): Range[] {
    const noted = kernel.attribute(this.#staged.fd, ETAG_ATTRIBUTE);
    if (typeof noted === "number") return [];
    const start = starts.find((one) => noted.startsWith(one));
    if (start === undefined) return [];
    // A file that was cut since has lost what lay behind.
    const most = Math.min(this.#size, Number(this.#staged.had));
    const ranges = noted.slice(start.length).split(",").map(rangeOf);
    return ranges.filter((range): range is Range => range !== null && range.end <= most);
  }

  #write(): void {
    this.#due = false;
    this.#writtenMs = performance.now();
    if (this.#start === "") return;
    let text = "";
    for (const { first, end } of this.#ranges) {
      const next = `${text === "" ? "" : ","}${first}-${end}`;
      if (text.length + next.length > RANGES_CHARS_MAX) break;
      text += next;
    }
    // Where the file system has no attributes the next run starts over.
    kernel.setAttribute(this.#staged.fd, ETAG_ATTRIBUTE, this.#start + text);
  }
}

// --- internal ---

/** This run of the machine (random(4)); null where it has no name. */
function bootId(): string | null {
  try {
    const text = fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return /^[0-9a-f-]{36}$/.test(text) ? text : null;
  } catch {
    return null;
  }
}

function startOf(boot: string, content: string): string {
  const key = new Bun.CryptoHasher("sha256").update(content).digest("hex").slice(0, 32);
  return `http1 ${boot} ${key} `;
}

function rangeOf(text: string): Range | null {
  const [, first, end] = RANGE.exec(text) ?? [];
  if (first === undefined || end === undefined || Number(first) >= Number(end)) return null;
  return { first: Number(first), end: Number(end) };
}

/** `ranges` with `added`, joined to what it touches. */
function merged(ranges: readonly Range[], added: Range): Range[] {
  let { first, end } = added;
  const before: Range[] = [];
  const after: Range[] = [];
  for (const range of ranges) {
    if (range.end < first) before.push(range);
    else if (range.first > end) after.push(range);
    else {
      first = Math.min(first, range.first);
      end = Math.max(end, range.end);
    }
  }
  return [...before, { first, end }, ...after];
}
