/**
 * The server of node:http as a second reader: what it takes the bytes of a connection for. In a
 * process of its own, by Node or by Bun, whose parser is another one behind the same name.
 */
import { Peer } from "../rig/peer.ts";

/** A request as a server read it. */
export interface ReadRequest {
  readonly method: string;
  /** As it came. */
  readonly target: string;
  /** Host; "" where there is none. */
  readonly host: string;
  /** Content-Length and Transfer-Encoding where they announce a byte or more of a body; else "". */
  readonly framing: string;
}

/** What became of a connection. */
export interface Reading {
  readonly requests: readonly ReadRequest[];
  /** It could not read on. */
  readonly refused: boolean;
}

/**
 * What the process runs: it prints a line for each connection that has ended. Its replies would not
 * do: behind a refusal those before it get lost. In node:http bytes are latin1; they travel in hex.
 */
const PROGRAM = `
const hex = (text) => Buffer.from(text ?? "", "latin1").toString("hex");
const server = require("node:http").createServer((request, response) => {
  const { method, url, headers, socket } = request;
  const length = headers["content-length"] ?? "0";
  const framing = (/^0+$/.test(length) ? "" : length) + (headers["transfer-encoding"] ?? "");
  socket.requests.push([method, url, headers.host, framing].map(hex));
  response.end();
  request.resume();
});
server.on("connection", (socket) => {
  const port = socket.remotePort;
  socket.requests = [];
  socket.on("close", () => {
    const { requests, refused = false } = socket;
    console.log(JSON.stringify({ port, requests, refused }));
  });
});
server.on("clientError", (error, socket) => {
  socket.refused = true;
  socket.destroy();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
`;

/** A server that ends with the test (`await using`). */
export class NodeHttp {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #waiting = new Map<number, (reading: Reading) => void>();
  #started: (port: number) => void = () => {};
  #port = 0;

  private constructor(program: string) {
    this.#process = Bun.spawn([program, "-e", PROGRAM], {
      ...{ stdin: "pipe", stdout: "pipe", stderr: "inherit" },
    });
    void this.#listen();
  }

  /** Starts it with `program`, "node" or Bun's own path. */
  static async start(program: string): Promise<NodeHttp> {
    const server = new NodeHttp(program);
    server.#port = await new Promise((resolve) => (server.#started = resolve));
    return server;
  }

  /** What it takes `pieces` for, sent one behind the other and followed by FIN. */
  async read(pieces: readonly Buffer[]): Promise<Reading> {
    using peer = await Peer.dial(this.#port);
    const told = new Promise<Reading>((resolve) => {
      this.#waiting.set(peer.socket.localPort ?? 0, resolve);
    });
    for (const [nth, piece] of pieces.entries()) {
      if (nth > 0) await new Promise(setImmediate);
      peer.send(piece);
    }
    peer.finish();
    await peer.all();
    return told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
  }

  // --- internal ---

  async #listen(): Promise<void> {
    let rest = "";
    for await (const chunk of this.#process.stdout) {
      const lines = (rest + Buffer.from(chunk).toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line) as number | Line);
    }
  }

  #take(line: number | Line): void {
    if (typeof line === "number") return this.#started(line);
    const requests = line.requests.map((words) => {
      const texts = words.map((word) => Buffer.from(word, "hex").toString("latin1"));
      const [method = "", target = "", host = "", framing = ""] = texts;
      return { method, target, host, framing };
    });
    this.#waiting.get(line.port)?.({ requests, refused: line.refused });
    this.#waiting.delete(line.port);
  }
}

/** As the process prints it. */
interface Line {
  readonly port: number;
  readonly requests: readonly (readonly string[])[];
  readonly refused: boolean;
}
