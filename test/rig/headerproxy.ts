/** A proxy that passes connections on with bytes of a test's own before those of the client. */
import net from "node:net";

/** Listens on a free port of 127.0.0.1 and relays to `port`, each connection behind `header`. */
export class HeaderProxy {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: net.Server) {
    this.#server = server;
  }

  /** A proxy that is listening. */
  static async before(port: number, header: Uint8Array): Promise<HeaderProxy> {
    const server = net.createServer({ allowHalfOpen: true });
    const proxy = new HeaderProxy(server);
    server.on("connection", (client) => {
      const onward = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      onward.write(header);
      for (const [from, to] of [
        [client, onward],
        [onward, client],
      ] as const) {
        proxy.#sockets.add(from);
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
