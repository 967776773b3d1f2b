/**
 * Bytes that have come and have not been read, for readers that cut them: never more than one chunk
 * and what of an unfinished piece came before it.
 */

/** What a reader has before it. Its readers extend it, so that reading costs no further call. */
export class Unread {
  protected chunk: Buffer | null = null;
  /** Where in `chunk` the first byte stands that was not read. */
  protected position = 0;

  /** Bytes that have come and have not been read. */
  get buffered(): number {
    return this.chunk === null ? 0 : this.chunk.length - this.position;
  }

  /** Takes over `chunk`: the caller does not touch it again. */
  push(chunk: Buffer): void {
    const rest = this.chunk;
    if (rest === null) this.chunk = chunk;
    else this.chunk = Buffer.concat([rest.subarray(this.position), chunk]);
    this.position = 0;
  }

  /** Up to `count` bytes as they came, or null when there are none: the body behind a head. */
  take(count: number): Buffer | null {
    const chunk = this.chunk;
    if (chunk === null || count <= 0) return null;
    const end = Math.min(chunk.length, this.position + count);
    const bytes = chunk.subarray(this.position, end);
    this.advance(end);
    return bytes;
  }

  /** Forgets what has not been read. */
  discard(): void {
    this.chunk = null;
    this.position = 0;
  }

  /** All up to byte `end` of the chunk has been read. */
  protected advance(end: number): void {
    if (this.chunk?.length === end) this.discard();
    else this.position = end;
  }

  /** A short rest must not pin the chunk it came in (Bun's chunks have up to 512 KiB). */
  protected detach(): void {
    if (this.chunk === null || this.position === 0) return;
    this.chunk = Buffer.from(this.chunk.subarray(this.position));
    this.position = 0;
  }
}
