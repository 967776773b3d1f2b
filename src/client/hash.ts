/** The exchange of HASH: digests of a range of a file, one for each chunk. It sees no socket. */
import { WholeSink } from "../receive/sink.ts";
import { type Algo, digestCount, DIGESTS, DIGESTS_MAX } from "../wire/digest.ts";
import { escapePath } from "../wire/escape.ts";
import { parseNumber, REPLY_DIGITS_MAX } from "../wire/number.ts";
import { isEtag } from "../wire/vocabulary.ts";
import type { ClientError } from "./error.ts";
import type { Exchange, OkLine } from "./exchange.ts";
import { type ByteString, byteStringOf } from "../wire/bytes.ts";

/** The bytes that are hashed, and how. */
export interface DigestRange {
  /** First byte. */
  readonly offset: bigint;
  /** Bytes, clipped to the file's end by the server; null: to the end. */
  readonly length: bigint | null;
  /** Bytes under one digest, > 0; null: the server chooses, 4 MiB for xxh3, all for sha256. */
  readonly chunk: bigint | null;
  readonly algo: Algo;
}

/** The result of a HASH. */
export interface Digests {
  /** Lower-case hex, one for each chunk from the offset on. */
  readonly digests: readonly string[];
  /** Bytes under each digest; the last may cover fewer. */
  readonly chunk: bigint;
  readonly algo: Algo;
  /** Bytes of the whole file, and its version: compare it with the READ's. */
  readonly size: bigint;
  readonly etag: string;
}

const DIGEST_LINE_BYTES_MAX = DIGESTS.sha256 + 1;

/** HASH. */
export class HashExchange implements Exchange {
  readonly done = Promise.withResolvers<Digests>();
  readonly line: ByteString;
  readonly path: ByteString;
  readonly sink = new WholeSink(DIGESTS_MAX * DIGEST_LINE_BYTES_MAX);
  readonly #range: DigestRange;
  #head: Omit<Digests, "digests"> | null = null;

  constructor(path: ByteString, range: DigestRange) {
    this.path = path;
    this.#range = range;
    const { offset, length, chunk, algo } = range;
    const keys = [
      offset === 0n ? "" : `offset=${offset} `,
      length === null ? "" : `length=${length} `,
      chunk === null ? "" : `chunk=${chunk} `,
      algo === "xxh3" ? "" : `algo=${algo} `,
    ];
    this.line = `HASH ${keys.join("")}${escapePath(path)}`;
  }

  head({ length, facts }: OkLine): string | null {
    const { offset, algo } = this.#range;
    const size = parseNumber(facts.get("size") ?? "", REPLY_DIGITS_MAX);
    const chunk = parseNumber(facts.get("chunk") ?? "", REPLY_DIGITS_MAX);
    const etag = facts.get("etag") ?? "";
    if (size < 0n || chunk <= 0n || !isEtag(etag) || facts.get("algo") !== algo) {
      return "HASH's reply lacks a well-formed size=, etag=, algo= or chunk=";
    }
    if (chunk !== (this.#range.chunk ?? chunk)) return "HASH's reply has another chunk= than asked";
    const rest = size - offset;
    if (rest < 0n) return `asked from byte ${offset} of ${size}`;
    const covered =
      this.#range.length === null || this.#range.length > rest ? rest : this.#range.length;
    const due = digestCount(covered, chunk) * BigInt(DIGESTS[algo] + 1);
    if (BigInt(length) !== due) return `${due} bytes of digests are due, ${length} are announced`;
    this.#head = { size, chunk, etag, algo };
    return null;
  }

  finish(): string | null {
    const { bytes } = this.sink;
    const text = byteStringOf(bytes);
    const lines = text.split("\n");
    const digits = DIGESTS[this.#range.algo];
    const whole = lines.pop() === "" && lines.every((line) => isHex(line, digits));
    if (!whole || this.#head === null) return "HASH has a line that is no digest";
    this.done.resolve({ ...this.#head, digests: lines });
    return null;
  }

  fail(error: ClientError): void {
    this.done.reject(error);
  }
}

// --- internal ---

function isHex(line: string, digits: number): boolean {
  return line.length === digits && /^[0-9a-f]+$/.test(line);
}
