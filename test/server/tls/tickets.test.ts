/** A session of TLS that is taken up again, by openssl s_client. */
import { expect } from "bun:test";
import { needing, OPENSSL } from "../../rig/needs.ts";
import { Running } from "../../rig/running.ts";
import { CA, CA_FILE, filesOf, pemOf } from "../../rig/tls.ts";
import { Tree } from "../../rig/tree.ts";

/** Asks for the file f until it has come, or the server has ended the connection. */
async function ask(port: number, ...flags: string[]): Promise<string> {
  const child = Bun.spawn(
    ["openssl", "s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", CA_FILE, ...flags],
    { stdin: "pipe", stdout: "pipe", stderr: "ignore" },
  );
  void child.stdin.write("f\n");
  void child.stdin.flush();
  const text = await new Response(child.stdout).text();
  await child.stdin.end();
  await child.exited;
  return text;
}

/**
 * Stays connected (`using`): Bun forgets the keys of its tickets when nobody is, at its next
 * collection of garbage, and then no session is taken up again.
 */
async function staying(port: number): Promise<Disposable> {
  const tls = { ca: CA, serverName: "localhost", ...pemOf("client") };
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    ...{ hostname: "127.0.0.1", port, tls },
    socket: { data() {}, handshake: () => resolve() },
  });
  await promise;
  return { [Symbol.dispose]: () => void socket.end() };
}

const VERSIONS = ["-tls1_2", "-tls1_3"];

needing(OPENSSL)("a session is taken up again where nobody needs a certificate", async () => {
  using tree = new Tree({ f: "content" });
  await using running = new Running(tree.root, { tls: filesOf("good") });
  using _stays = await staying(running.port);
  for (const version of VERSIONS) {
    const session = tree.path(`session${version}`);
    const first = await ask(running.port, version, "-sess_out", session);
    expect(first).toMatch(/^New, TLSv1/m);
    Bun.gc(true);
    const second = await ask(running.port, version, "-sess_in", session);
    expect(second).toMatch(/^Reused, TLSv1/m);
    expect(second).toContain("content");
  }
});

needing(OPENSSL)("86: a session does not stand for a client's certificate", async () => {
  using tree = new Tree({ f: "content" });
  using keys = new Tree();
  const tls = { ...filesOf("good"), clientCa: CA_FILE };
  await using running = new Running(tree.root, { tls });
  using _stays = await staying(running.port);
  const { cert, key } = filesOf("client");
  for (const version of VERSIONS) {
    const session = keys.path(`session${version}`);
    const first = await ask(
      running.port,
      version,
      "-cert",
      cert,
      "-key",
      key,
      "-sess_out",
      session,
    );
    expect(first).toContain("content");
    // TLS 1.3 has no session without a ticket: then no file was written.
    const back = (await Bun.file(session).exists()) ? ["-sess_in", session] : [];
    const second = await ask(running.port, version, ...back);
    expect(second).not.toMatch(/^Reused/m);
    expect(second).not.toContain("content");
  }
});
