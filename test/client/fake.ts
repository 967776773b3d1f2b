/**
 * Links made of literal bytes: each says exactly what its test wrote down, at exactly the splits
 * it asks for, and ends as told. Never our own encoder on both sides. And a socket without a
 * network, for what needs no kernel.
 */
import type { Socket, TCPSocketListener } from "bun";
import type { ServerAddress } from "../../src/client/address.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";

/** How a fake's connection ends behind its last byte. */
export type Ending = "fin" | "rst" | "open";

/** One connection as a fake sees it. */
export class FakeConnection {
  readonly socket: Socket<FakeConnection>;
  /** All that came, one byte a character. */
  received = "";
  /** The client has sent FIN. */
  finished = false;
  /** The client is gone. */
  closed = false;
  #unsent: Buffer[] = [];
  #ending: Ending = "open";

  constructor(socket: Socket<FakeConnection>) {
    this.socket = socket;
  }

  /** Sends each chunk in a segment of its own, as far as the kernel keeps them apart, then ends. */
  say(chunks: string | Uint8Array | readonly (string | Uint8Array)[], ending: Ending = "open") {
    const list = typeof chunks === "string" || chunks instanceof Uint8Array ? [chunks] : chunks;
    for (const chunk of list) {
      this.#unsent.push(
        Buffer.from(typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk),
      );
    }
    this.#ending = ending;
    this.flush();
  }

  /** Goes on sending; called when there is room. */
  flush(): void {
    const chunk = this.#unsent[0];
    if (chunk === undefined) {
      if (this.#ending === "fin") this.socket.shutdown();
      if (this.#ending === "rst") this.socket.terminate();
      return;
    }
    const taken = this.socket.write(chunk, 0, chunk.length);
    if (taken < 0) return;
    if (taken < chunk.length) {
      this.#unsent[0] = chunk.subarray(taken);
      return;
    }
    this.#unsent.shift();
    // The next turn of the loop: by then the client, on the same loop, has read this one.
    if (this.#unsent.length > 0) setImmediate(() => this.flush());
    else this.flush();
  }
}

/** What a fake does when bytes have come: `received` holds all so far. */
export type Script = (connection: FakeConnection) => void;

/** A listening fake (`using` closes it). */
export class FakeServer implements Disposable {
  readonly connections: FakeConnection[] = [];
  readonly #listener: TCPSocketListener<FakeConnection>;

  /** `onData` runs each time bytes have come, `onFin` when the client half-closes. */
  constructor(onData: Script, onFin: Script = () => {}, onOpen: Script = () => {}) {
    this.#listener = Bun.listen<FakeConnection>({
      hostname: "127.0.0.1",
      port: 0,
      allowHalfOpen: true,
      socket: {
        open: (socket) => {
          socket.data = new FakeConnection(socket);
          this.connections.push(socket.data);
          onOpen(socket.data);
        },
        data: (socket, chunk) => {
          socket.data.received += chunk.toString("latin1");
          onData(socket.data);
        },
        drain: (socket) => socket.data.flush(),
        end: (socket) => {
          socket.data.finished = true;
          onFin(socket.data);
        },
        close: (socket) => {
          socket.data.closed = true;
        },
        error: (_socket, error) => {
          throw error;
        },
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  get server(): ServerAddress {
    return { host: "127.0.0.1", port: this.port };
  }

  /** As `-s` takes it. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}

/** A fake that answers the first bytes of each connection with `chunks`. */
export function answering(
  chunks: string | Uint8Array | readonly (string | Uint8Array)[],
  ending: Ending = "open",
): FakeServer {
  const answered = new WeakSet<FakeConnection>();
  return new FakeServer((connection) => {
    if (answered.has(connection)) return;
    answered.add(connection);
    connection.say(chunks, ending);
  });
}

/** A fake that answers each request line by `reply`, whose result goes out at once. */
export function replying(reply: (line: string, nth: number) => string): FakeServer {
  const read = new WeakMap<FakeConnection, number>();
  let nth = 0;
  return new FakeServer((connection) => {
    const lines = connection.received.split("\n").slice(0, -1);
    const done = read.get(connection) ?? 0;
    for (const line of lines.slice(done)) connection.say(reply(line, nth++));
    read.set(connection, lines.length);
  });
}

/** The reply to a READ of a whole file, written out by hand. */
export function readReply(content: string, etag = "0123456789abcdef"): string {
  const length = Buffer.byteLength(content, "latin1");
  return `OK ${length} size=${length} offset=0 etag=${etag} mtime=5\n${content}`;
}

/** A socket that only remembers. */
export class StillSocket implements StreamSocket {
  readonly fd = 99;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  written = "";
  /** How it was ended by our side, in order. */
  readonly endings: string[] = [];
  /** Bytes that it takes before it is full. */
  room = Infinity;

  write(bytes: Uint8Array, offset: number, length: number): number {
    const taken = Math.min(this.room, length);
    this.room -= taken;
    this.written += Buffer.from(bytes).toString("latin1", offset, offset + taken);
    return taken;
  }
  shutdown(): void {
    this.endings.push("shutdown");
  }
  end(): void {
    this.endings.push("end");
  }
  terminate(): void {
    this.endings.push("terminate");
  }
  pause(): void {}
  resume(): void {}
}

/** Waits until `holds`, looking every turn of the loop. The test's own timeout ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}
