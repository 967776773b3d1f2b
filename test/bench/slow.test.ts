/**
 * The parts of the slow-attack benchmark that judge: what slowhttptest's words mean, and newcomers
 * that notice who was not served, or not with the right bytes.
 */
import { expect, test } from "bun:test";
import net from "node:net";
import { outcomeOf, SLOW_ATTACKS, slowCommand } from "../../bench/slow/slowhttptest.ts";
import { visit } from "../../bench/slow/visitor.ts";

const status = (connected: number, closed: number, available: string): string =>
  "Thu Nov 26 17:23:07 2026:\x1b[H\x1b[2J\n\tslowhttptest version 1.8.2\n" +
  `initializing:        0\npending:             0\nconnected:           ${connected}\n` +
  `error:               0\nclosed:              ${closed}\n` +
  `\x1b[1;31mservice available:   ${available}\x1b[0m\n`;

test("its last numbers count, and a service that was gone once was gone", () => {
  expect(outcomeOf(status(3, 0, "YES") + status(1104, 396, "YES"))).toEqual({
    ...{ connected: 1104, closed: 396, available: "yes" },
  });
  expect(outcomeOf(status(3, 0, "NO") + status(5, 1, "YES")).available).toBe("no");
  for (const text of ["", "slowhttptest: command failed\n", "service available: MAYBE\n"]) {
    expect(outcomeOf(text)).toEqual({ connected: null, closed: null, available: "unknown" });
  }
});

test("an attack lasts for as long as it is measured, behind its connections", () => {
  const command = slowCommand(SLOW_ATTACKS[0]!, 80, 1500, 10).join(" ");
  expect(command).toMatch(
    /^slowhttptest -H .* -c 1500 -r 500 -l 13 .* -u http:\/\/127\.0\.0\.1:80/,
  );
});

test("newcomers are served, or it is told why not", async () => {
  const replies = [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\naB",
    "HTTP/1.1 503 Service Unavailable\r\n\r\nab",
  ];
  for (const [nth, reply] of replies.entries()) {
    const from = new Set<string>();
    const server = net.createServer((socket) => {
      from.add(socket.remoteAddress ?? "");
      socket.on("error", () => {});
      socket.on("data", () => socket.end(reply));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const { served, failed, why } = await visit(port, "127.0.0.2", "/f", Buffer.from("ab"), 0.1);
    server.close();
    expect([nth, served.count, failed]).toEqual(nth === 0 ? [0, 5, 0] : [nth, 0, 5]);
    expect([...from]).toEqual(["127.0.0.2"]);
    if (nth > 0) expect(why).toStartWith('answered "HTTP/1.1 ');
  }
});
