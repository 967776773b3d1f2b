/**
 * What a client must get, byte for byte, checked as the bytes come: a stream of pieces, each known
 * exactly or by how its line begins.
 */

/** A piece of the stream: exact bytes, or the start of one line. */
export type Piece = Uint8Array | { readonly line: string };

/** The stream of one connection. */
export class Expected {
  /** Bytes that came. */
  came = 0;
  /** Bytes that are known exactly. */
  total = 0;
  /** Replies that have come whole. */
  answered = 0;
  /** What was wrong first, or null. */
  wrong: string | null = null;
  readonly #pieces: Piece[] = [];
  /** Numbers of pieces behind which a reply is complete. */
  readonly #ends = new Set<number>([0]);
  #piece = 0;
  /** Bytes of the present piece that came. */
  #at = 0;

  /** One reply more. */
  reply(...pieces: Piece[]): void {
    this.#pieces.push(...pieces.filter((piece) => "line" in piece || piece.length > 0));
    this.#ends.add(this.#pieces.length);
    for (const piece of pieces) this.total += "line" in piece ? 0 : piece.length;
  }

  /** True when everything has come. */
  get complete(): boolean {
    return this.wrong === null && this.#piece === this.#pieces.length;
  }

  /** True when the last reply of which something came has come whole. */
  get between(): boolean {
    return this.wrong === null && this.#at === 0 && this.#ends.has(this.#piece);
  }

  /** Takes what came next. */
  take(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && this.wrong === null) {
      const piece = this.#pieces[this.#piece];
      if (piece === undefined) this.wrong = `${bytes.length - at} bytes too many`;
      else if ("line" in piece) at = this.#line(piece.line, bytes, at);
      else at = this.#exact(piece, bytes, at);
    }
    if (this.wrong !== null) this.wrong += ` (at byte ${this.came + at})`;
    this.came += bytes.length;
  }

  toString(): string {
    const state = this.complete ? "complete" : `at ${this.#at} of piece ${this.#piece}`;
    return `${this.came} bytes, ${state} of ${this.#pieces.length}, ${this.wrong ?? "right"}`;
  }

  // --- internal ---

  #exact(piece: Uint8Array, bytes: Uint8Array, at: number): number {
    const count = Math.min(piece.length - this.#at, bytes.length - at);
    const want = Buffer.from(piece.buffer, piece.byteOffset + this.#at, count);
    const got = Buffer.from(bytes.buffer, bytes.byteOffset + at, count);
    if (!want.equals(got)) {
      const first = want.findIndex((byte, index) => byte !== got[index]);
      const near = (it: Buffer): string =>
        JSON.stringify(it.toString("latin1", first, Math.min(count, first + 48)));
      this.wrong = `piece ${this.#piece}: expected ${near(want)}, found ${near(got)}`;
      return at + first;
    }
    this.#at += count;
    if (this.#at === piece.length) this.#advance();
    return at + count;
  }

  #line(start: string, bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (this.#at < start.length && byte !== start.charCodeAt(this.#at)) {
        const found = JSON.stringify(Buffer.from(bytes).toString("latin1", from, from + 80));
        this.wrong = `piece ${this.#piece}: expected ${start}..., found ${found}`;
        return at;
      }
      this.#at += 1;
      if (byte === 10) {
        this.#advance();
        return at + 1;
      }
    }
    return bytes.length;
  }

  #advance(): void {
    this.#piece += 1;
    this.#at = 0;
    if (this.#ends.has(this.#piece)) this.answered += 1;
  }
}
