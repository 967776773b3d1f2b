/**
 * Random pipelines of requests and what each must be answered, by a model of some lines: it knows
 * the files, not the server.
 */
import fs from "node:fs";
import { content } from "../rig/oracle.ts";
import type { Tree } from "../rig/tree.ts";
import { Expected } from "./expected.ts";
import type { Random } from "./random.ts";

/** Sizes at every border: held bodies, steps of a transfer, windows of the copy branch. */
const SIZES = [
  0, 1, 15, 1000, 16_384, 40_000, 65_535, 65_536, 65_537, 70_000, 150_000, 262_144, 262_145,
  524_288, 600_000, 2_097_153, 2_500_000,
];

/** A file as the model knows it. */
export interface Known {
  readonly name: string;
  readonly bytes: Buffer;
  readonly mtime: bigint;
  /** As the server told it once: it must never tell another. */
  etag: string;
}

/** A client's requests, and what must come back. */
export interface Pipeline {
  readonly requests: Buffer;
  readonly expected: Expected;
  /** The server ends the connection when all is answered, also if the client does not. */
  readonly closes: boolean;
  /** What is asked for, in words. */
  readonly asked: readonly string[];
}

const HEX = /^[0-9a-f]{16}$/;

/** The files that are asked for: some held, some sent from their descriptor, one directory. */
export class Library {
  readonly files: Known[];
  /** The directory's, as the server told it once. */
  #id = "";

  constructor(tree: Tree) {
    this.files = SIZES.map((size, index) => {
      const name = `d/f${index}`;
      tree.write(name, content(index, 0, size));
      const { mtimeNs } = fs.statSync(tree.path(name), { bigint: true });
      return { name, bytes: content(index, 0, size), mtime: mtimeNs, etag: "" };
    });
  }

  /**
   * Learns the etags and the directory's id by `ask`, which answers a request with its reply's
   * line.
   */
  learn(ask: (request: string) => string): void {
    for (const file of this.files) {
      file.etag = / etag=(\S+)/.exec(ask(`STAT /${file.name}\n`))?.[1] ?? "";
      if (!HEX.test(file.etag)) throw new Error(`no etag of ${file.name}`);
    }
    this.#id = / id=(\S+)/.exec(ask("LIST limit=0 /d\n"))?.[1] ?? "";
    if (!HEX.test(this.#id)) throw new Error("no id of the directory");
  }

  /** A random pipeline of S6/1. */
  framed(random: Random): Pipeline {
    const expected = new Expected();
    const asked: string[] = [];
    const small = random.below(3) > 0;
    // Long lines fill what a connection may hold unread. `.` is a name for the same directory.
    const dots = "./".repeat(random.pick([0, 0, 0, 1000]));
    for (let left = 1 + random.below(random.pick([2, 8, small ? 100 : 8])); left > 0; left--) {
      const file = this.#file(random, small);
      // The first line decides the dialect: it is no mistake.
      const kinds = asked.length === 0 ? 10 : 12;
      const line = this.#ask(random.below(kinds), random, file, expected);
      asked.push(line.replace(" /", ` /${random.below(2) === 0 ? dots : ""}`));
    }
    const closes = random.below(16) === 0;
    if (closes) {
      asked.push(`READ /${"x".repeat(8190 + random.below(3000))}`);
      expected.reply({ line: "ERR E2BIG " });
    }
    const ends = random.pick([["\n"], ["\r\n"], ["\n", "\r\n"]]);
    const text = asked.map((line) => line + random.pick(ends)).join("");
    return { requests: Buffer.from(text, "latin1"), expected, closes, asked };
  }

  /** A random bare path. */
  plain(random: Random): Pipeline {
    const expected = new Expected();
    const file = this.#file(random, random.below(2) === 0);
    const missing = random.below(8) === 0;
    const path = missing ? "no/such" : random.pick(["", "/", "./"]) + file.name;
    expected.reply(missing ? { line: "ERROR ENOENT: " } : file.bytes);
    const end = random.pick(["\n", "\r\n", "\n/junk\njunk", "\r", ""]);
    return { requests: Buffer.from(path + end), expected, closes: true, asked: [path] };
  }

  // --- internal ---

  #file(random: Random, small: boolean): Known {
    return this.files[random.below(small ? 6 : this.files.length)]!;
  }

  /** Adds what is expected of a random request; the request. */
  #ask(kind: number, random: Random, file: Known, expected: Expected): string {
    if (kind < 4) return this.#range(file, `READ /${file.name}`, 0, Infinity, expected);
    if (kind < 7) {
      const size = file.bytes.length;
      const offset = random.pick([0, 1, size, size + 1, random.below(size + 1)]);
      const length = random.pick([0, 1, size, 65_536, random.below(200_000)]);
      const pin = random.below(3) === 0 ? ` if=${file.etag}` : "";
      const request = `READ offset=${offset} length=${length}${pin} /${file.name}`;
      return this.#range(file, request, offset, length, expected);
    }
    if (kind === 7) {
      expected.reply({ line: "OK 0 server=" });
      return "PING";
    }
    if (kind === 8) {
      const { bytes, mtime, etag } = file;
      expected.reply(line(`OK 0 type=file size=${bytes.length} mtime=${mtime} etag=${etag}`));
      return `STAT /${file.name}`;
    }
    return kind === 9 ? this.#list(random, expected) : this.#mistake(random, file, expected);
  }

  #range(
    { bytes, etag, mtime }: Known,
    request: string,
    offset: number,
    length: number,
    expected: Expected,
  ): string {
    if (offset > bytes.length) {
      expected.reply({ line: "ERR ERANGE " });
      return request;
    }
    const part = bytes.subarray(offset, Math.min(bytes.length, offset + length));
    const facts = `size=${bytes.length} offset=${offset} etag=${etag} mtime=${mtime}`;
    expected.reply(line(`OK ${part.length} ${facts}`), part);
    return request;
  }

  #list(random: Random, expected: Expected): string {
    const limit = random.pick([0, 1, 5, 100]);
    const sorted = this.files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const after = random.pick(["", "f12", "f3x"]);
    const behind = sorted.filter(({ name }) => name > `d/${after}`);
    const page = behind.slice(0, limit);
    const text = page
      .map(({ name, bytes, mtime, etag }) => {
        return `file size=${bytes.length} mtime=${mtime} etag=${etag} ${name.slice(2)}\n`;
      })
      .join("");
    const more = behind.length > page.length ? 1 : 0;
    const head = `OK ${text.length} count=${page.length} more=${more} left=0 id=${this.#id}`;
    expected.reply(line(head), Buffer.from(text, "latin1"));
    return `LIST limit=${limit}${after === "" ? "" : ` after=${after}`} /d`;
  }

  #mistake(random: Random, file: Known, expected: Expected): string {
    const [request, code] = random.pick([
      ["READ /no", "ENOENT"],
      ["READ /d", "EISDIR"],
      ["READ /../etc/passwd", "EACCES"],
      ["READ /d/%zz", "EINVAL"],
      ["READ offset=1e3 /d/f1", "EINVAL"],
      ["READ length=1 length=1 /d/f1", "EINVAL"],
      ["BOGUS /d/f1", "ENOSYS"],
      [`LIST /${file.name}`, "ENOTDIR"],
      [`READ if=0123456789abcdef /${file.name}`, "ESTALE"],
      ["", "ENOSYS"],
    ] as const);
    expected.reply({ line: `ERR ${code} ` });
    return request;
  }
}

function line(text: string): Buffer {
  return Buffer.from(`${text}\n`, "latin1");
}
