/**
 * `bun bench/sources/tamper.ts PORT`: passes connections on to a server on 127.0.0.1:PORT, and
 * turns a bit of whatever comes back in a large piece: the body of a READ, seldom its head. Digests
 * come in small pieces and stay right. It names its own port as a server does.
 */
import { connect, createServer, type AddressInfo } from "node:net";

/** Bytes of a piece that is no reply to anything but READ. */
const LARGE_BYTES = 16_384;

const to = Number(process.argv[2]);
const server = createServer((client) => {
  const onward = connect({ port: to, host: "127.0.0.1" });
  for (const [one, other] of [
    [client, onward],
    [onward, client],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
  client.pipe(onward);
  onward.on("data", (bytes: Buffer) => {
    const middle = bytes.length >> 1;
    if (bytes.length >= LARGE_BYTES) bytes[middle] = bytes[middle]! ^ 0x10;
    if (client.write(bytes)) return;
    onward.pause();
    client.once("drain", () => onward.resume());
  });
});
server.listen(0, "127.0.0.1", () => {
  console.error(`tampers on s6://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
