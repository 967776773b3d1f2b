/**
 * Two servers behind a real HAProxy with the configuration of .github/examples/, one of them killed
 * while files are fetched through it: all come whole by the other one, and what had come is kept.
 */
import { expect } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import { Started } from "../cli/serv6/started.ts";
import { needing, works } from "../rig/needs.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { read, run, runs, timeFor } from "./rig.ts";

const HAPROXY = { here: works("haproxy", "-v"), what: "haproxy" };
const EXAMPLE = `${import.meta.dir}/../../.github/examples/haproxy.cfg`;

const MIB = 1024 * 1024;
const BYTES = 24 * MIB + 11;
const DOWNLOADS = runs(6, 100);

/** At once: the example gives one address 64 connections, and a download has up to 16. */
const TOGETHER = 3;

/** What may come twice: what was on its way to each connection that was cut. */
const TWICE = 1.5;

/** The example with another place for everything. */
function configuration(tree: Tree, port: number, servers: readonly number[]): string {
  const places: [string, string][] = [
    ["/run/haproxy.sock", tree.path("socket")],
    ["bind :6464", `bind 127.0.0.1:${port}`],
    ["server a 10.0.0.11:6464", `server a 127.0.0.1:${servers[0]}`],
    ["server b 10.0.0.12:6464", `server b 127.0.0.1:${servers[1]}`],
    // All of them are one address here.
    ["sc0_conn_rate gt 200", "sc0_conn_rate gt 100000"],
  ];
  let text = fs.readFileSync(EXAMPLE, "utf8");
  for (const [of, mine] of places) {
    expect(text).toContain(of);
    text = text.replaceAll(of, mine);
  }
  tree.write("haproxy.cfg", text);
  return tree.path("haproxy.cfg");
}

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** Answers of HAProxy's own socket. */
function tell(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = net.connect(socket, () => connection.write(`${command}\n`));
    let said = "";
    connection.on("data", (chunk: Buffer) => (said += chunk.toString()));
    connection.on("end", () => resolve(said));
    connection.on("error", reject);
  });
}

/** Column `column` of `row`, as "files,FRONTEND" and "serv6,a", in HAProxy's table. */
async function stat(socket: string, row: string, column: string): Promise<string> {
  const lines = (await tell(socket, "show stat")).replace(/^# /, "").split("\n");
  const at = (lines[0] ?? "").split(",").indexOf(column);
  return lines.find((line) => line.startsWith(`${row},`))?.split(",")[at] ?? "";
}

class HAProxy {
  readonly #child: Bun.Subprocess;

  constructor(file: string) {
    this.#child = Bun.spawn(["haproxy", "-f", file, "-db"], {
      stdout: "ignore",
      stderr: "ignore",
    });
  }

  /** The exit status; null while it runs. */
  get ended(): number | null {
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

needing(HAPROXY)(
  `one of two servers behind HAProxy is killed: all files come whole (${DOWNLOADS})`,
  async () => {
    using source = new Tree();
    using tree = new Tree();
    using own = new Tree();
    fs.writeFileSync(source.path("f"), content(1, 0, BYTES));
    const args = [source.root, "-p", "0", "--proxy-protocol-from", "127.0.0.1", "--rate", "200M"];
    await using a = new Started(args);
    await using b = new Started(args);
    const port = freePort();
    const file = configuration(own, port, [await a.port(), await b.port()]);
    await using proxy = new HAProxy(file);
    const socket = own.path("socket");
    const up = async (): Promise<boolean> =>
      fs.existsSync(socket) && (await stat(socket, "serv6,b", "status")).startsWith("UP");
    while (!(await up())) {
      expect(proxy.ended).toBeNull();
      await Bun.sleep(10);
    }

    let left = DOWNLOADS;
    const ends: unknown[] = [];
    const fetched = Array.from({ length: TOGETHER }, async () => {
      while (left > 0) {
        const to = tree.path(`${left--}`);
        const { status } = await run(["get", `s6://127.0.0.1:${port}/f`, "-o", to]);
        ends.push([status, read(to)?.equals(content(1, 0, BYTES)) ?? false]);
        fs.rmSync(to, { force: true });
      }
    });
    // In the middle of the first files: the first that has sent so much is killed.
    const sender = async (): Promise<Started | null> => {
      for (const [row, server] of Object.entries({ "serv6,a": a, "serv6,b": b })) {
        if (Number(await stat(socket, row, "bout")) > BYTES / 4) return server;
      }
      return null;
    };
    let victim = await sender();
    for (; victim === null; victim = await sender()) await Bun.sleep(5);
    victim.child.kill("SIGKILL");
    await Promise.all(fetched);
    expect(ends).toEqual(Array.from({ length: DOWNLOADS }, () => [0, true]));
    const sent = Number(await stat(socket, "files,FRONTEND", "bout"));
    expect(sent).toBeLessThan((DOWNLOADS + TOGETHER * (TWICE - 1)) * BYTES);
  },
  timeFor(DOWNLOADS, 5000),
);
