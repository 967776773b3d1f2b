/**
 * TLS around a fake that speaks plaintext, and a wire between it and its client that a test may
 * meddle with: what closes a session in order may be lost, and records may be put in.
 */
import net from "node:net";
import tls from "node:tls";
import { pemOf } from "./tls.ts";

/** What happens to a connection on its way to the client. */
export interface Meddling {
  /** The last record, which says that no more will come, is left out; then FIN or RST. */
  readonly cut?: "fin" | "rst";
  /** Bytes behind the server's record of this number, from 0, in place of all that follow. */
  readonly put?: { readonly behind: number; readonly bytes: Uint8Array };
}

/** Bytes of a record in front of its content (RFC 8446 5.1). */
const HEADER_BYTES = 5;

/** A record that can hold an alert alone: two bytes, their type, and a tag of 16. */
const ALERT_BYTES = 19;

/** The tunnel (`using` closes it). */
export class Tunnel implements Disposable {
  readonly #inner: tls.Server;
  readonly #outer: net.Server;
  readonly #meddled: { count: number };

  private constructor(inner: tls.Server, outer: net.Server, meddled: { count: number }) {
    this.#inner = inner;
    this.#outer = outer;
    this.#meddled = meddled;
  }

  /** To the plaintext port `to`, by TLS 1.3. */
  static async to(to: number, meddling: Meddling = {}): Promise<Tunnel> {
    const options = { ...pemOf("good"), minVersion: "TLSv1.3" as const };
    const inner = tls.createServer(options, (secure) => {
      const plain = net.connect(to, "127.0.0.1");
      joined(secure, plain);
      joined(plain, secure);
    });
    await listening(inner);
    const meddled = { count: 0 };
    const outer = net.createServer({ allowHalfOpen: true }, (client) => {
      const server = net.connect({ port: portOf(inner), host: "127.0.0.1", allowHalfOpen: true });
      joined(client, server);
      relay(server, client, meddling, meddled);
    });
    await listening(outer);
    return new Tunnel(inner, outer, meddled);
  }

  /** How often it has left something out, or put something in. */
  get meddled(): number {
    return this.#meddled.count;
  }

  get port(): number {
    return portOf(this.#outer);
  }

  [Symbol.dispose](): void {
    this.#outer.close();
    this.#inner.close();
  }
}

// --- internal ---

/** All of `from` goes to `to`, and its end too. */
function joined(from: net.Socket, to: net.Socket): void {
  from.on("data", (bytes: Buffer) => void to.write(bytes));
  from.on("end", () => void to.end());
  from.on("error", () => to.destroy());
}

/** What a server says goes on a record at a time, the last one only once another one comes. */
function relay(
  server: net.Socket,
  client: net.Socket,
  { cut, put }: Meddling,
  meddled: { count: number },
): void {
  let bytes = Buffer.alloc(0);
  let held = Buffer.alloc(0);
  let records = 0;
  server.on("data", (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    while (bytes.length >= HEADER_BYTES) {
      const length = HEADER_BYTES + bytes.readUInt16BE(3);
      if (bytes.length < length) return;
      const record = bytes.subarray(0, length);
      bytes = bytes.subarray(length);
      if (put !== undefined && records > put.behind) continue;
      client.write(held);
      held = Buffer.alloc(0);
      if (cut !== undefined && length === HEADER_BYTES + ALERT_BYTES) held = record;
      else client.write(record);
      if (put !== undefined && records === put.behind) {
        client.write(put.bytes);
        meddled.count += 1;
      }
      records += 1;
    }
  });
  server.on("end", () => {
    if (held.length > 0) meddled.count += 1;
    if (cut === "rst") client.resetAndDestroy();
    else client.end();
  });
  server.on("error", () => client.destroy());
  client.on("error", () => server.destroy());
}

async function listening(server: net.Server): Promise<void> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
}

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}
