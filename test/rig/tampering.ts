/** What servers do that serve other bytes than they should, or stop serving: for scripted.ts. */
import { type Misbehave, Scripted } from "./scripted.ts";

/** Turns a bit of the last byte of each READ's body; its digests are right. */
export const TAMPERING: Misbehave = ({ verb }, honest) => {
  if (verb !== "READ") return undefined;
  const reply = honest();
  reply[reply.length - 1] = (reply[reply.length - 1] ?? 0) ^ 0x10;
  return { bytes: reply };
};

/** `bytes` with a bit of byte `at` turned. */
export function turned(bytes: Uint8Array, at: number): Buffer {
  const other = Buffer.from(bytes);
  other[at] = (other[at] ?? 0) ^ 0x10;
  return other;
}

/**
 * A server that is gone for good after its `reads`th READ, of which a part may have come. Two are
 * under way at once: all before the last two have come whole.
 */
export function dying(files: Record<string, Uint8Array>, reads: number): Scripted {
  let left = reads;
  const server: Scripted = new Scripted(files, ({ verb }, honest) => {
    if (verb !== "READ") return undefined;
    left -= 1;
    if (left > 0) return undefined;
    if (left < 0) return null;
    // In the next turn: it ends every connection, and takes no more.
    setImmediate(() => server.fake[Symbol.dispose]());
    const reply = honest();
    return { bytes: reply.subarray(0, reply.length / 2) };
  });
  return server;
}
