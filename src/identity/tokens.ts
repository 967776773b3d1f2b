/**
 * Who may read what, by tokens: secrets of which the server keeps digests alone. A file of them, or
 * one token that may read everything. Each request is decided anew, so that a token that is taken
 * out of the file ends at once, also on connections that are open. No text that is made here holds
 * a token or a digest.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import type { ByteString } from "../wire/bytes.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";
import { parseTokens } from "./tokenfile.ts";

/** What a token may be used for. */
export type Use = "read" | "list";

/** What whoever shows a token may do. */
export interface Grant {
  /** What the owner calls it, for the log. */
  readonly name: string;
  /** Paths below the root, as bytes without slashes around; "" is all. Each with what is below. */
  readonly paths: readonly ByteString[];
  readonly uses: readonly Use[];
  /** When it ends, in milliseconds since 1970; Infinity: never. */
  readonly until: number;
  /** Bytes a second, all of its connections together; 0: no limit. */
  readonly rate: number;
}

/** A grant and the digest of the token that opens it; null: of nobody, for who shows none. */
export interface TokenEntry {
  /** SHA-256 of the token, 64 hex digits. */
  readonly digest: string | null;
  readonly grant: Grant;
}

/** Tokens of one file: each is compared, which takes 1 us. */
export const TOKENS_MAX = 1000;

/** Bytes of a file of tokens. */
const FILE_BYTES_MAX = 1024 * 1024;

const DIGEST_BYTES = 32;

/** The tokens in use. */
export class Tokens {
  readonly #file: string | null;
  #stamp = "";
  #byDigest = new Map<string, Grant>();
  #digests: readonly Buffer[] = [];
  #anonymous: Grant | null = null;

  private constructor(file: string | null, entries: readonly TokenEntry[]) {
    this.#file = file;
    this.#take(entries);
  }

  /** Those of `file` (see tokenfile.ts): throws Failure (usage) that says what is wrong in it. */
  static ofFile(file: string): Tokens {
    const tokens = new Tokens(file, read(file));
    tokens.#stamp = stampOf(file);
    return tokens;
  }

  /** One `token` that may read everything. */
  static ofSecret(token: string): Tokens {
    const digest = createHash("sha256").update(token).digest("hex");
    return new Tokens(null, [{ digest, grant: EVERYTHING }]);
  }

  /** What may be done without a token; null: nothing. */
  get anonymous(): Grant | null {
    return this.#anonymous;
  }

  /**
   * The digest of `token`, if there is one of it: what grantOf() takes. Each is compared to its
   * end, so that the time tells nothing.
   */
  find(token: string): string | null {
    const asked = createHash("sha256").update(token, "latin1").digest();
    let found = -1;
    for (let nth = 0; nth < this.#digests.length; nth++) {
      if (timingSafeEqual(asked, this.#digests[nth]!)) found = nth;
    }
    return found < 0 ? null : asked.toString("hex");
  }

  /**
   * The grant of the token with `digest`; null when there is none any more, or its time is over.
   */
  grantOf(digest: string): Grant | null {
    const grant = this.#byDigest.get(digest) ?? null;
    return grant !== null && Date.now() < grant.until ? grant : null;
  }

  /**
   * Reads the file again if it has changed: null, or what is wrong with it. Then the tokens before
   * stay in use.
   */
  refresh(): Failure | null {
    const file = this.#file;
    if (file === null) return null;
    const stamp = stampOf(file);
    if (stamp === this.#stamp) return null;
    this.#stamp = stamp;
    try {
      this.#take(read(file));
      return null;
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
  }

  // --- internal ---

  #take(entries: readonly TokenEntry[]): void {
    const byDigest = new Map<string, Grant>();
    let anonymous: Grant | null = null;
    for (const { digest, grant } of entries) {
      if (digest === null) anonymous = grant;
      else byDigest.set(digest, grant);
    }
    this.#byDigest = byDigest;
    this.#anonymous = anonymous;
    this.#digests = [...byDigest.keys()].map((hex) => Buffer.from(hex, "hex"));
    if (this.#digests.some(({ length }) => length !== DIGEST_BYTES)) throw new Error("no digest");
  }
}

// --- internal ---

const EVERYTHING: Grant = {
  name: "token",
  paths: [""],
  uses: ["read", "list"],
  until: Number.POSITIVE_INFINITY,
  rate: 0,
};

function read(file: string): TokenEntry[] {
  const shown = printableText(file);
  let text: string;
  try {
    const { size, mode } = fs.statSync(file);
    if (size > FILE_BYTES_MAX) throw Object.assign(new Error(), { code: "EFBIG" });
    if ((mode & 0o022) !== 0) {
      throw new Failure("usage", "EACCES", `--tokens: others may write ${shown}: chmod go-w`);
    }
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "EIO";
    throw new Failure("usage", code, `--tokens: ${shown} can't be read (${code})`);
  }
  const entries = parseTokens(text, TOKENS_MAX);
  if (typeof entries !== "string") return entries;
  throw new Failure("usage", "EINVAL", `--tokens: ${shown}: ${entries}`);
}

/** Another one when the file was written, replaced or removed. */
function stampOf(file: string): string {
  const facts = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
  return facts === undefined ? "-" : `${facts.ino}:${facts.mtimeNs}:${facts.size}`;
}
