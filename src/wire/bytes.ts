/**
 * Byte strings: what a path, a name or a line is inside this program, and the ways in and out. A
 * path is one from the command line or the wire on, so that nothing is converted on the way.
 */

/**
 * Bytes held one to a character (each char code 0..255, that is ISO 8859-1). Names on Linux are
 * bytes, not text; a string of bytes is the cheapest exact key for a Map, and converts in one
 * native call.
 */
export type ByteString = string;

/** The byte string of a JavaScript string: its UTF-8 bytes, one a character. */
export function bytesOf(text: string): ByteString {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The text that a byte string spells in UTF-8; what is no UTF-8 becomes U+FFFD. */
export function utf8Of(bytes: ByteString): string {
  return bufferOf(bytes).toString("utf8");
}

/** The bytes themselves, in a buffer of their own. */
export function bufferOf(bytes: ByteString): Buffer {
  return Buffer.from(bytes, "latin1");
}

/** The byte string of `bytes` in memory, which stay the caller's. */
export function byteStringOf(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
