/** Bodies in chunks (RFC 9112 7.1), for what is made while it is sent. */

/** Ends a body in chunks. */
export const LAST_CHUNK = "0\r\n\r\n";

/** `text` as a chunk, in UTF-8 when it goes out; "" for "", because an empty chunk is the last. */
export function chunkOf(text: string): string {
  const length = Buffer.byteLength(text);
  return length === 0 ? "" : `${length.toString(16)}\r\n${text}\r\n`;
}
