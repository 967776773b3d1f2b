/**
 * Signed links: a path, an end and perhaps an address, with a signature that only who has the key
 * can make (HMAC-SHA-256, RFC 2104). A link is a token that needs no file: whoever shows it may
 * read and list that path and what is below it, until then. Another key revokes all of them.
 *
 *   link.<until>.<address>.<path>.<signature>     path, address and signature in base64url
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import { byteStringOf, type ByteString } from "../wire/bytes.ts";
import { Failure } from "../wire/failure.ts";
import { HERE, relativeOf } from "../wire/path.ts";
import { printableText } from "../wire/printable.ts";
import { TOKEN_CHARS_MAX } from "../wire/vocabulary.ts";
import { createPrivate } from "./privatefile.ts";
import type { Grant } from "./tokens.ts";
import { contentOf, Watched } from "./watchedfile.ts";

/** What a link opens. */
export interface Link {
  /** Bytes that start with "/". */
  readonly path: ByteString;
  /** When it ends, in seconds since 1970. */
  readonly until: number;
  /** The only address that may show it; "" for any. */
  readonly address: string;
}

/** What every link begins with, and no token. */
const MARK = "link.";

const FORM = /^link\.([1-9][0-9]{0,11})\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;

/** Fewer could be guessed. */
const KEY_BYTES_MIN = 32;
const KEY_BYTES_MAX = 4096;

/** True for what is meant as a link, right or wrong. */
export function isLink(token: string): boolean {
  return token.startsWith(MARK);
}

/** The text of `link`, or null where its path is too long for a token. */
export function signed(link: Link, key: Buffer): string | null {
  const encoded = Buffer.from(link.path, "latin1").toString("base64url");
  const address = Buffer.from(link.address).toString("base64url");
  const body = `${MARK}${link.until}.${address}.${encoded}`;
  const text = `${body}.${signature(body, key)}`;
  return text.length <= TOKEN_CHARS_MAX ? text : null;
}

/** The key of a server's links, in a file. */
export class LinkKey {
  readonly #key: Watched<Buffer>;

  /**
   * Throws Failure (usage) for a file that can't be read, is too short, or that others can read.
   */
  constructor(file: string) {
    this.#key = new Watched([file], () => read(file));
  }

  /** The key in `file`, which is made, for its user alone, when it is missing. */
  static ensure(file: string): LinkKey {
    if (!fs.existsSync(file)) createPrivate(file, randomBytes(KEY_BYTES_MIN));
    return new LinkKey(file);
  }

  /** `link` as a text, or null where its path is too long. */
  sign(link: Link): string | null {
    return signed(link, this.#key.value);
  }

  /**
   * What `token` opens for who is at `address`; null where it is not of this key, or nothing any
   * more. The signature is compared to its end before anything of it is believed.
   */
  grantOf(token: string, address: string): Grant | null {
    const [, until = "", bound = "", encoded = "", mark = ""] = FORM.exec(token) ?? [];
    if (mark === "") return null;
    const body = token.slice(0, -mark.length - 1);
    const right = Buffer.from(signature(body, this.#key.value));
    if (!timingSafeEqual(right, Buffer.from(mark))) return null;
    const end = Number(until) * 1000;
    const only = Buffer.from(bound, "base64url").toString();
    if (Date.now() >= end || (only !== "" && only !== address)) return null;
    const relative = relativeOf(byteStringOf(Buffer.from(encoded, "base64url")));
    if (typeof relative !== "string") return null;
    const granted = relative === HERE ? "" : relative.replace(/\/$/, "");
    return { name: "link", paths: [granted], uses: ["read", "list"], until: end, rate: 0 };
  }

  /** As of Watched. */
  settle(): void {
    this.#key.settle();
  }

  /** As of Watched: the key before stays in use while the file is wrong. */
  refresh(): Failure | null {
    return this.#key.refresh();
  }
}

// --- internal ---

function signature(body: string, key: Buffer): string {
  return createHmac("sha256", key).update(body).digest("base64url");
}

function read(file: string): Buffer {
  const rules = { flag: "--link-key", bytesMax: KEY_BYTES_MAX, forbidden: 0o077 };
  const key = contentOf(file, rules);
  if (key.length >= KEY_BYTES_MIN) return key;
  const why = `${printableText(file)} has ${key.length} bytes, and a key ${KEY_BYTES_MIN} at least`;
  throw new Failure("usage", "EINVAL", `--link-key: ${why}`);
}
