/**
 * A client made of literal bytes: what it sends and what comes back, with how the connection ended.
 * Never our own encoder on both sides. node:net, because it tells FIN from RST.
 */
import net from "node:net";

/** How a connection ended: FIN is complete, RST is failed. */
export type Ending = "fin" | "reset";

/** A raw connection (`using` destroys it). */
export class Peer {
  readonly socket: net.Socket;
  #chunks: Buffer[] = [];
  #length = 0;
  #ending: Ending | null = null;
  #wake: (() => void) | null = null;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake?.();
    });
    socket.on("end", () => this.#end("fin"));
    socket.on("error", () => this.#end("reset"));
    socket.on("close", () => this.#end("reset"));
  }

  /** Connects to a server on loopback, if need be from another one of its addresses. */
  static dial(port: number, localAddress = "127.0.0.1"): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({
        ...{ port, host: "127.0.0.1", localAddress },
        ...{ allowHalfOpen: true, noDelay: true },
      });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Peer(socket));
      });
    });
  }

  /** How it ended, or null while it is open. */
  get ending(): Ending | null {
    return this.#ending;
  }

  /** Bytes that have come and were not taken. */
  get length(): number {
    return this.#length;
  }

  /** Sends bytes; a string is one byte a character. */
  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** FIN. */
  finish(): void {
    this.socket.end();
  }

  /** RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Takes `count` bytes; fewer when the connection ends before. */
  async take(count: number): Promise<Buffer> {
    await this.until(() => this.#length >= count);
    return this.#cut(Math.min(count, this.#length));
  }

  /** Takes a line, without its LF. */
  async line(): Promise<string> {
    await this.until(() => this.#chunks.some((chunk) => chunk.includes(10)));
    const all = this.#cut(this.#length);
    const end = all.indexOf(10);
    const rest = all.subarray(end < 0 ? all.length : end + 1);
    if (rest.length > 0) this.#chunks.unshift(rest);
    this.#length = rest.length;
    return all.toString("latin1", 0, end < 0 ? all.length : end);
  }

  /** Everything to the end of the connection. */
  async all(): Promise<{ bytes: Buffer; ending: Ending }> {
    await this.until(() => this.#ending !== null);
    return { bytes: this.#cut(this.#length), ending: this.#ending ?? "reset" };
  }

  /** One S6/1 reply: its line, and the body that an OK promises. */
  async reply(): Promise<{ line: string; body: Buffer }> {
    const line = await this.line();
    const length = /^OK ([0-9]+)/.exec(line)?.[1] ?? "0";
    return { line, body: await this.take(Number(length)) };
  }

  /** Waits until `met` holds or the connection has ended. */
  async until(met: () => boolean): Promise<void> {
    while (!met() && this.#ending === null) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  // --- internal ---

  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#wake?.();
  }

  #cut(count: number): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    const bytes = all ?? Buffer.alloc(0);
    const rest = bytes.subarray(count);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    return bytes.subarray(0, count);
  }
}
