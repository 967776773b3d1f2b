/**
 * Who may read what, by tokens: secrets of which the server keeps digests alone. A file of them, or
 * one token that may read everything. Each request is decided anew, so that a token that is taken
 * out of the file ends at once, also on connections that are open. No text that is made here holds
 * a token or a digest.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { ByteString } from "../wire/bytes.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";
import { parseTokens } from "./tokenfile.ts";
import { contentOf, Watched } from "./watchedfile.ts";

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

/** The tokens in use. */
export class Tokens {
  readonly #read: Watched<Known>;

  private constructor(files: readonly string[], read: () => readonly TokenEntry[]) {
    this.#read = new Watched(files, () => known(read()));
  }

  /** Those of `file` (see tokenfile.ts): throws Failure (usage) that says what is wrong in it. */
  static ofFile(file: string): Tokens {
    return new Tokens([file], () => read(file));
  }

  /** One `token` that may read everything. */
  static ofSecret(token: string): Tokens {
    const digest = createHash("sha256").update(token).digest("hex");
    return new Tokens([], () => [{ digest, grant: EVERYTHING }]);
  }

  /** None: nobody may do anything by a token, or without. */
  static none(): Tokens {
    return new Tokens([], () => []);
  }

  /** What may be done without a token; null: nothing, or its time is over. */
  get anonymous(): Grant | null {
    return current(this.#read.value.anonymous);
  }

  /**
   * The digest of `token`, if there is one of it: what grantOf() takes. Each is compared to its
   * end, so that the time tells nothing.
   */
  find(token: string): string | null {
    const asked = createHash("sha256").update(token, "latin1").digest();
    const { digests } = this.#read.value;
    let found = -1;
    for (let nth = 0; nth < digests.length; nth++) {
      if (timingSafeEqual(asked, digests[nth]!)) found = nth;
    }
    return found < 0 ? null : asked.toString("hex");
  }

  /**
   * The grant of the token with `digest`; null when there is none any more, or its time is over.
   */
  grantOf(digest: string): Grant | null {
    return current(this.#read.value.byDigest.get(digest) ?? null);
  }

  /** As of Watched. */
  settle(): void {
    this.#read.settle();
  }

  /** As of Watched: the tokens before stay in use while the file is wrong. */
  refresh(): Failure | null {
    return this.#read.refresh();
  }
}

// --- internal ---

interface Known {
  readonly byDigest: ReadonlyMap<string, Grant>;
  readonly digests: readonly Buffer[];
  readonly anonymous: Grant | null;
}

/** `grant`, or null when its time is over. */
function current(grant: Grant | null): Grant | null {
  return grant !== null && Date.now() < grant.until ? grant : null;
}

function known(entries: readonly TokenEntry[]): Known {
  const byDigest = new Map<string, Grant>();
  let anonymous: Grant | null = null;
  for (const { digest, grant } of entries) {
    if (digest === null) anonymous = grant;
    else byDigest.set(digest, grant);
  }
  const digests = [...byDigest.keys()].map((hex) => Buffer.from(hex, "hex"));
  return { byDigest, digests, anonymous };
}

const EVERYTHING: Grant = {
  name: "token",
  paths: [""],
  uses: ["read", "list"],
  until: Number.POSITIVE_INFINITY,
  rate: 0,
};

function read(file: string): TokenEntry[] {
  const rules = { flag: "--tokens", bytesMax: FILE_BYTES_MAX, forbidden: 0o022 };
  const entries = parseTokens(contentOf(file, rules).toString(), TOKENS_MAX);
  if (typeof entries !== "string") return entries;
  throw new Failure("usage", "EINVAL", `--tokens: ${printableText(file)}: ${entries}`);
}
