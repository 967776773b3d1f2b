/**
 * A bucket, as far as a store reads it: what a key is, the keys behind a prefix, and a range of one
 * version. It signs (Bun's S3Client), asks and understands; how much at once is decided elsewhere.
 */
import { Refusal } from "../../wire/errors.ts";
import { printableText } from "../../wire/printable.ts";
import type { S3Address, S3Options } from "./address.ts";
import { refusalOfError, refusalOfStatus } from "./failure.ts";
import { decodedKey } from "./key.ts";

/** One version of one object. */
export interface ObjectVersion {
  readonly key: string;
  /** The store's own name of this version, with its quotes: opaque, and no digest. */
  readonly tag: string;
  readonly size: number;
  /** When it was made, in whole seconds since 1970. */
  readonly seconds: number;
}

/** Some keys of a folder, in the store's order. */
export interface Listed {
  readonly objects: readonly ObjectVersion[];
  /** Begins of keys that go on behind a slash, which is their last character. */
  readonly folders: readonly string[];
  /** Keys that can't be read. */
  readonly unreadable: number;
  /** What to go on with; null: there are no more. */
  readonly next: string | null;
}

/** Seconds that a signed address is good for: it is used at once. */
const SIGNED_SECONDS = 300;

/** Keys of one list, the store's own bound. */
export const KEYS_MAX = 1000;

/** The one that is served. */
export class Bucket {
  readonly #client: Bun.S3Client;
  readonly #signer: Bun.S3Client;

  constructor({ bucket }: S3Address, options: S3Options) {
    const { endpoint, accessKeyId, secretAccessKey, sessionToken } = options;
    const shared = {
      ...{ bucket, secretAccessKey, region: options.region ?? REGION_DEFAULT },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(sessionToken === undefined ? {} : { sessionToken }),
    };
    this.#client = new Bun.S3Client({ ...shared, accessKeyId });
    // A signed address has the key's name in it, which Bun 1.4.5 does not escape (a colon).
    this.#signer = new Bun.S3Client({ ...shared, accessKeyId: encodeURIComponent(accessKeyId) });
  }

  /** What `key` is: ENOENT for none, EIO, EBUSY. */
  async look(key: string, signal: AbortSignal): Promise<ObjectVersion | Refusal> {
    const shown = printableText(key);
    try {
      const reply = await this.#fetch(key, "HEAD", {}, signal);
      if (reply.status !== 200) return refusalOfStatus(reply.status, shown);
      return versionOf(key, reply.headers) ?? new Refusal("EIO", `no version or size: ${shown}`);
    } catch (error) {
      return refusalOfError(error, shown);
    }
  }

  /**
   * The bytes of `version` from `from`, `length` > 0 of them, which lie in it: a reply whose body
   * has them, and no others as far as its head tells. ESTALE when that version is gone.
   */
  async range(
    version: ObjectVersion,
    from: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Response | Refusal> {
    const shown = printableText(version.key);
    const range = `${from}-${from + length - 1}`;
    try {
      const headers = { range: `bytes=${range}`, "if-match": version.tag };
      const reply = await this.#fetch(version.key, "GET", headers, signal);
      const told = reply.headers.get("content-range");
      const part = reply.status === 206 && told === `bytes ${range}/${version.size}`;
      const whole = reply.status === 200 && length === version.size;
      const other = reply.headers.get("etag") !== version.tag;
      if ((part || whole) && !other) return reply;
      await reply.body?.cancel();
      if (part || whole || reply.status === 404) return new Refusal("ESTALE", shown);
      return refusalOfStatus(reply.status < 300 ? 400 : reply.status, shown);
    } catch (error) {
      return refusalOfError(error, shown);
    }
  }

  /**
   * Up to `most` keys that begin with `prefix` behind `after`, or from where `next` of another list
   * says; those behind another slash as one folder where `folded`.
   */
  async list(
    prefix: string,
    from: { readonly after: string } | { readonly next: string },
    folded: boolean,
    most: number,
  ): Promise<Listed | Refusal> {
    try {
      const place =
        "next" in from
          ? { continuationToken: from.next }
          : from.after === ""
            ? {}
            : { startAfter: prefix + from.after };
      const delimiter = folded ? { delimiter: "/" } : {};
      // Encoded, because one key with a control character would make the list unreadable.
      const encoded = { prefix, maxKeys: most, encodingType: "url" } as const;
      const page = await this.#client.list({ ...encoded, ...delimiter, ...place });
      return listedOf(page);
    } catch (error) {
      return refusalOfError(error, printableText(prefix));
    }
  }

  // --- internal ---

  #fetch(
    key: string,
    method: "GET" | "HEAD",
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> {
    const url = this.#signer.presign(key, { method, expiresIn: SIGNED_SECONDS });
    // Neither is a signed request sent elsewhere, nor another content made of what is stored.
    return fetch(url, { method, headers, signal, redirect: "manual", decompress: false });
  }
}

// --- internal ---

/** What stores that know no regions take too. */
const REGION_DEFAULT = "us-east-1";

const LENGTH = /^(?:0|[1-9][0-9]{0,15})$/;

function versionOf(key: string, headers: Headers): ObjectVersion | null {
  const length = headers.get("content-length") ?? "";
  const tag = headers.get("etag") ?? "";
  const time = Date.parse(headers.get("last-modified") ?? "");
  if (!LENGTH.test(length) || tag === "" || /\p{Cc}/u.test(tag)) return null;
  return { key, tag, size: Number(length), seconds: secondsOf(time) };
}

function secondsOf(ms: number): number {
  return Number.isFinite(ms) ? Math.floor(ms / 1000) : 0;
}

type Page = Awaited<ReturnType<Bun.S3Client["list"]>>;

function listedOf(page: Page): Listed {
  let unreadable = 0;
  const objects: ObjectVersion[] = [];
  for (const { key: encoded, eTag: tag, size, lastModified } of page.contents ?? []) {
    const key = decodedKey(encoded);
    if (key === null || tag === undefined || size === undefined) unreadable += 1;
    else objects.push({ key, tag, size, seconds: secondsOf(Date.parse(String(lastModified))) });
  }
  const folders: string[] = [];
  for (const { prefix: encoded } of page.commonPrefixes ?? []) {
    const folder = decodedKey(encoded);
    if (folder === null) unreadable += 1;
    else folders.push(folder);
  }
  const next = page.isTruncated === true ? (page.nextContinuationToken ?? null) : null;
  return { objects, folders, unreadable, next };
}
