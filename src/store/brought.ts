/** Bytes of a source that somebody wants in memory, all of them or none. */
import { streamOf } from "./blocks/stream.ts";
import type { Source } from "./store.ts";

/**
 * Fills `into` with the bytes of `source` from `at`, for a connection of `peer`, then tells `done`:
 * null, or why they can't be had; never from inside this call. What is returned stops it: `done` is
 * not told any more then.
 */
export function bringBytes(
  source: Source,
  at: bigint,
  into: Uint8Array,
  peer: string,
  done: (failed: "failed" | "changed" | null) => void,
): () => void {
  let got = 0;
  let over = false;
  const stream = streamOf(source, at, into.length, peer, () => {
    if (over) return;
    for (let { ready } = stream; ready !== null; { ready } = stream) {
      into.set(ready, got);
      got += ready.length;
      stream.take(ready.length);
    }
    const { state } = stream;
    if (got < into.length && state === "flowing") {
      stream.want();
      return;
    }
    stop();
    done(got === into.length || state === "flowing" ? null : state);
  });
  const stop = (): void => {
    if (over) return;
    over = true;
    stream.close();
  };
  return stop;
}
