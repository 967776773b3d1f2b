/**
 * A program: the honest client that only pings, in a process that does nothing else. One connection
 * from one address, a PING every few milliseconds, whether the last one was answered or not: what
 * was held up delays no other. It is told "start" and "stop" by its parent, and answers "stop" with
 * what the round trips took.
 */
import net from "node:net";
import { Histogram, type HistogramData } from "../../bench/load/histogram.ts";

/** Between two pings, in milliseconds: 250 a second show every stall of a few milliseconds. */
const PING_MS = 4;

/** For the pings that are on their way when it is told to stop, in milliseconds. */
const LATE_MS_MAX = 2_000;

/** What the parent is told after "stop". Nanoseconds. */
export interface Pings {
  readonly histogram: HistogramData;
  /** Never answered; each is in the histogram with the time that it had. */
  readonly lost: number;
  /** A reply that is none to PING, or why the connection ended; null when all was well. */
  readonly wrong: string | null;
}

const REPLY = /^OK 0 server=/;

class Pinger {
  readonly #socket: net.Socket;
  #histogram = new Histogram();
  #sent: number[] = [];
  #wrong: string | null = null;
  #text = "";
  #timer: NodeJS.Timeout | null = null;
  #stopped: (() => void) | null = null;

  constructor(port: number, localAddress: string) {
    this.#socket = net.connect({ host: "127.0.0.1", port, localAddress, noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#data(chunk.toString("latin1")));
    for (const event of ["error", "close", "end"]) {
      this.#socket.on(event, () => this.#ended(`the connection of the pings: ${event}`));
    }
    // Who has never asked is cut after some seconds; who has, waits for minutes.
    this.#socket.on("connect", () => this.#ping());
  }

  start(): void {
    this.#histogram = new Histogram();
    this.#timer = setInterval(() => this.#ping(), PING_MS);
  }

  async stop(): Promise<Pings> {
    clearInterval(this.#timer ?? undefined);
    if (this.#sent.length > 0 && this.#wrong === null) {
      await Promise.race([
        new Promise<void>((resolve) => (this.#stopped = resolve)),
        Bun.sleep(LATE_MS_MAX),
      ]);
    }
    const now = Bun.nanoseconds();
    const lost = this.#sent.length;
    for (const sent of this.#sent.splice(0)) this.#histogram.record(now - sent);
    return { histogram: this.#histogram.toData(), lost, wrong: this.#wrong };
  }

  // --- internal ---

  #ping(): void {
    if (this.#wrong !== null) return;
    this.#sent.push(Bun.nanoseconds());
    this.#socket.write("PING\n");
  }

  #data(text: string): void {
    const now = Bun.nanoseconds();
    const lines = (this.#text + text).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const sent = this.#sent.shift();
      if (sent === undefined || !REPLY.test(line)) this.#ended(`not a reply to PING: ${line}`);
      else this.#histogram.record(now - sent);
      if (this.#timer === null) process.send?.("ready");
    }
    if (this.#sent.length === 0) this.#stopped?.();
  }

  #ended(why: string): void {
    this.#wrong ??= why;
    this.#stopped?.();
  }
}

if (import.meta.main) {
  const pinger = new Pinger(Number(process.argv[2]), process.argv[3] ?? "127.0.0.1");
  process.on("message", (told) => {
    if (told === "start") pinger.start();
    else void pinger.stop().then((pings) => process.send?.(pings));
  });
  process.on("disconnect", () => process.exit(0));
}
