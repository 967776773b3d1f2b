/**
 * `bun bench/download/longlink.ts PORT SEED`: the long thin link (link.ts) in front of
 * 127.0.0.1:PORT. Says its own port on standard error. The losses of the n-th connection depend on
 * the seed and n. Owns the sockets and the clock. Invariant: a connection that is closed on both
 * sides is forgotten.
 */
import { connect, createServer, type Socket } from "node:net";
import { Link, LONG_THIN, seeded } from "./link.ts";
import { Relay } from "./relay.ts";

/** The finest that timers do; the round trip is 50 times that. */
const STEP_MS = 1;

const [port, seed] = process.argv.slice(2).map(Number);
if (port === undefined || seed === undefined || !(port > 0 && port < 65536)) {
  console.error("longlink: PORT SEED");
  process.exit(2);
}
const link = new Link(LONG_THIN);
const relays = new Set<Relay>();
const nowMs = (): number => performance.now();
let connections = 0;

const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const server = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
  const random = seeded(seed * 1_000_003 + connections++);
  const relay = new Relay(client, server, link, random, nowMs);
  relays.add(relay);
  closeTogether(client, server, () => relays.delete(relay));
});
listener.listen(0, "127.0.0.1", () => {
  const address = listener.address();
  if (address !== null && typeof address === "object") {
    console.error(`longlink: s6://127.0.0.1:${address.port}/`);
  }
});
setInterval(() => {
  const now = nowMs();
  for (const relay of relays) relay.step(now);
}, STEP_MS);

/** Whoever is gone for good takes the other side with it. */
function closeTogether(client: Socket, server: Socket, forget: () => void): void {
  client.on("close", () => {
    server.destroy();
    forget();
  });
  // The client's side ends by what the relay still has to deliver.
  server.on("close", () => {
    if (client.destroyed) forget();
  });
}
