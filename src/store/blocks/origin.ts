/**
 * Where the bytes of cold blocks come from, as a cache sees it: the store behind a network, for one
 * version of one object. It is the same shape as that store's ranges, without the version.
 */
import type { Refusal } from "../../wire/errors.ts";
import { ID_BYTES } from "./layout.ts";

/** Takes the bytes of a range, in order. */
export interface OriginSink {
  /** The next bytes, which stay as they are: null, or what to wait for before the next. */
  push(bytes: Uint8Array): Promise<void> | null;
}

/** Brings ranges of one version. */
export interface ObjectOrigin {
  /**
   * Brings `length` > 0 bytes from `from`: null when all have been pushed and nothing else came, or
   * why not: ESTALE when that version is gone. Ends soon once `signal` is aborted.
   */
  bring(
    from: number,
    length: number,
    sink: OriginSink,
    signal: AbortSignal,
  ): Promise<Refusal | null>;
}

/** What names one version of one object everywhere. */
export interface ObjectName {
  readonly endpoint: string;
  readonly bucket: string;
  readonly key: string;
  /** The store's own name of this version: blocks of two are never mixed. */
  readonly tag: string;
  readonly size: number;
}

/** The name under which blocks of a version are kept: the first half of a SHA-256. */
export function idOf({ endpoint, bucket, key, tag, size }: ObjectName): Uint8Array {
  // No part can be taken for another: JSON keeps them apart.
  const told = JSON.stringify(["serv6 block 1", endpoint, bucket, key, tag, size]);
  return new Uint8Array(Bun.CryptoHasher.hash("sha256", told)).slice(0, ID_BYTES);
}
