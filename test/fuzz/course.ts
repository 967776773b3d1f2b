/**
 * One course of events: a few clients on fake sockets, each with a pipeline of its own, and at
 * every step one of the things that may happen next. After each the connection must be in order;
 * when nothing more can happen, every client must have what it asked for.
 */
import { BACKLOG_BYTES_MAX } from "../../src/guard/limits.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import type { Server } from "../../src/server/serve.ts";
import { type FakeKernel, FakeSocket, type Temper } from "../rig/fake-socket.ts";
import type { SimulatedLoop } from "../rig/simulatedloop.ts";
import type { Library, Pipeline } from "./pipeline.ts";
import type { Random } from "./random.ts";

/** More events than any course takes: what goes on longer spins. */
const EVENTS_MAX = 200_000;

/** A client with its plans. */
interface Client {
  readonly socket: FakeSocket;
  readonly pipeline: Pipeline;
  readonly plain: boolean;
  /** What it has not sent yet. */
  readonly chunks: Buffer[];
  /** It sends FIN when it has sent everything. */
  readonly finishes: boolean;
  /** It sends RST at this event, or never. */
  readonly resetsAt: number;
  /** The server lets it go at this event, or never. */
  readonly stopsAt: number;
  /** Drains without cause that are left. */
  spurious: number;
  stopped: boolean;
  /** Lines that it has sent, and that it had sent when it was let go. */
  lines: number;
  owed: number;
  reset: boolean;
}

type Event = readonly [name: string, happen: () => void];

/** Everything that a course needs. */
export interface World {
  readonly server: Server;
  readonly loop: SimulatedLoop;
  readonly kernel: FakeKernel;
  readonly library: Library;
}

/** Plays the course of `random`. Throws with what went wrong. */
export function play(world: World, random: Random): void {
  new Course(world, random).run();
}

class Course {
  readonly #world: World;
  readonly #random: Random;
  readonly #clients: Client[] = [];
  #events = 0;
  /** Seconds that may pass: the server sweeps in each. */
  #seconds = 5;
  #last = "the start";
  /** A read of the disk has failed: RST is allowed. */
  #failed = false;
  /** Reads of the disk fail in this course, one in so many. */
  readonly #failing: number;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    world.kernel.random = random;
    this.#failing = random.below(8) === 0 ? 4 : 0;
    for (let left = random.pick([1, 1, 2, 4]); left > 0; left--) this.#clients.push(this.#client());
  }

  run(): void {
    for (;;) {
      const events = this.#possible();
      if (events.length === 0) break;
      const [name, happen] = this.#random.pick(events);
      this.#last = name;
      this.#events += 1;
      if (this.#events > EVENTS_MAX) throw new Error(`spins: ${this.#describe()}`);
      happen();
      this.#check();
    }
    for (const client of this.#clients) this.#judge(client);
    this.#leave();
  }

  // --- internal ---

  #client(): Client {
    const { server, kernel, library } = this.#world;
    const random = this.#random;
    const plain = random.below(5) === 0;
    const pipeline = plain ? library.plain(random) : library.framed(random);
    const { expected, requests } = pipeline;
    // A small buffer for a large file would take for ever.
    const least = Math.ceil(expected.total / 1000);
    const temper: Temper = {
      room: Math.max(least, random.pick([1, 60, 1500, 20_000, 200_000, 3_000_000])),
      short: random.pick([0, 2, 8]),
      refuse: random.pick([0, 3, 16]),
      interrupt: random.pick([0, 0, 8]),
      unfitAt: random.below(6) === 0 ? random.below(200_000) : Infinity,
      failAt: random.below(24) === 0 ? random.below(400_000) : Infinity,
      closesAtOnce: random.below(2) === 0,
    };
    const socket = new FakeSocket(kernel, temper, (bytes) => {
      expected.take(bytes);
      if (expected.wrong !== null) kernel.violations.push(expected.wrong);
    });
    socket.connection = server.accept(socket);
    const chunks = random.cut(requests);
    const limit = 20 + chunks.length * 4;
    const ended = requests.includes(10);
    return {
      socket,
      pipeline,
      plain,
      chunks,
      finishes: (plain && !ended && random.below(2) === 0) || random.below(2) === 0,
      resetsAt: random.below(5) === 0 ? random.below(limit) : Infinity,
      stopsAt: random.below(12) === 0 ? random.below(limit) : Infinity,
      spurious: random.pick([0, 3, 50]),
      stopped: false,
      lines: 0,
      owed: 0,
      reset: false,
    };
  }

  /** All that may happen next. */
  #possible(): Event[] {
    const { loop } = this.#world;
    const events: Event[] = [];
    if (loop.immediates > 0) events.push(["turn", () => loop.turn()]);
    if (loop.reads > 0) events.push(["read", () => this.#read()]);
    for (const client of this.#clients) this.#possibleFor(client, events);
    // 200 ms of quiet end a path: they pass when nobody is in the middle of one.
    const quiet = this.#clients.filter(
      ({ socket }) => socket.connection?.state.awaits === "silence",
    );
    const typing = quiet.some(({ chunks }) => chunks.length > 0);
    if (quiet.length > 0 && !typing) events.push(["silence", () => loop.pass(200)]);
    if (!typing && this.#seconds > 0 && events.length > 0) {
      events.push(["a second", () => (this.#seconds--, loop.pass(1000))]);
    }
    return events;
  }

  #possibleFor(client: Client, events: Event[]): void {
    const { socket, chunks } = client;
    const { connection } = socket;
    if (connection === null || socket.closed) return;
    if (this.#events >= client.resetsAt && socket.gone === 0) {
      client.reset = true;
      socket.gone = this.#random.pick([ERRNO.EPIPE, ERRNO.ECONNRESET]);
      socket.armed = false;
    }
    if (socket.gone !== 0) {
      // Sometimes an `end` comes first, as Bun does when a write met the RST.
      if (!socket.finished) events.push(["end of a reset", () => this.#finish(client)]);
      events.push(["close", () => socket.close()]);
    }
    if (this.#events >= client.stopsAt && !client.stopped) {
      events.push(["stop", () => this.#stop(client)]);
    }
    if (!socket.paused && chunks.length > 0 && socket.gone === 0) {
      events.push(["data", () => this.#send(client)]);
    }
    const done = chunks.length === 0 && socket.gone === 0 && !socket.paused;
    if (done && client.finishes && !socket.finished) {
      events.push(["end", () => this.#finish(client)]);
    }
    if (socket.finished && socket.ending === "fin") events.push(["close", () => socket.close()]);
    if (socket.queued > 0) events.push(["peer reads", () => this.#peerReads(socket)]);
    if (socket.armed && socket.free > 0) {
      events.push(["drain", () => ((socket.armed = socket.refused = false), connection.drain())]);
    }
    if (client.spurious > 0 && this.#random.below(16) === 0) {
      client.spurious -= 1;
      events.push(["drain without cause", () => ((socket.refused = false), connection.drain())]);
    }
  }

  #send(client: Client): void {
    const chunk = Buffer.from(client.chunks.shift()!);
    for (const byte of chunk) if (byte === 10) client.lines += 1;
    client.socket.connection?.data(chunk);
  }

  #stop(client: Client): void {
    client.stopped = true;
    client.owed = client.lines;
    client.socket.connection?.stop();
  }

  #finish({ socket }: Client): void {
    socket.finished = true;
    socket.connection?.end();
  }

  #peerReads(socket: FakeSocket): void {
    const all = this.#random.below(2) === 0;
    socket.queued -= all ? socket.queued : 1 + this.#random.below(socket.queued);
  }

  #read(): void {
    const fails = this.#failing > 0 && this.#random.below(this.#failing) === 0;
    if (fails) this.#failed = true;
    this.#world.loop.read(this.#random, fails ? "EIO" : undefined);
  }

  /** What must hold whenever the loop has control. */
  #check(): void {
    const { kernel, loop } = this.#world;
    const wrong: string[] = [...kernel.violations];
    for (const { socket } of this.#clients) {
      const { connection } = socket;
      if (connection === null) continue;
      const { service } = connection;
      const { awaits } = connection.state;
      if (service.outbox.used !== 0) wrong.push("the shared outbox is not empty");
      if (awaits === "room" && !socket.armed && socket.gone === 0) {
        wrong.push("waits for room, but no drain will come");
      }
      if (awaits === "turn" && !(connection.queued && loop.immediates > 0)) {
        wrong.push("waits for a turn that will not come");
      }
      if (awaits === "window" && loop.reads === 0) wrong.push("waits for a read that nobody does");
      if (awaits === "store" && loop.immediates === 0) wrong.push("waits for a store that sleeps");
      const reading = awaits === "request" || awaits === "silence" || awaits === "linger";
      if (reading && socket.paused) wrong.push(`paused in awaits ${awaits}`);
      if (reading && socket.corked) wrong.push(`corked in awaits ${awaits}`);
      if (connection.receiver.backlog > BACKLOG_BYTES_MAX && !socket.paused) {
        wrong.push(`reads on with ${connection.receiver.backlog} bytes of requests`);
      }
      if ((awaits === "closed") !== socket.closed) wrong.push(`awaits ${awaits}, socket not`);
      if (awaits === "linger" && socket.ending !== "fin" && socket.gone === 0) {
        wrong.push("lingers without FIN");
      }
    }
    if (wrong.length > 0) throw new Error(`${wrong.join("; ")}: ${this.#describe()}`);
  }

  /** Nothing more can happen: did the client get what it was promised? */
  #judge(client: Client): void {
    const { socket, pipeline, stopped, reset } = client;
    const { expected, closes } = pipeline;
    const { connection } = socket;
    const fail = (what: string): never => {
      throw new Error(`${what}: ${this.#describe()}`);
    };
    if (reset) return;
    const mayFail = this.#failed || socket.taken >= socket.temper.failAt;
    if (socket.ending === "reset") {
      if (!mayFail) fail("RST without cause");
      return;
    }
    if (stopped && !expected.complete) {
      if (socket.ending !== "fin" || !expected.between) fail("stopped in the middle of a reply");
      if (!client.plain && expected.answered < client.owed) fail("stopped before it had answered");
      return;
    }
    if (!expected.complete) fail("nothing more happens, but not all is answered");
    const over = closes || stopped || socket.finished;
    if (over && socket.ending !== "fin") fail("all is answered, but no FIN came");
    if (!over && connection?.state.awaits !== "request")
      fail("all is answered, but it waits for more");
    if (!over && connection?.receiver.backlog !== 0) fail("something is left unread");
  }

  /** The clients that are still there go; nothing of them stays. */
  #leave(): void {
    const { server, loop, kernel } = this.#world;
    for (const client of this.#clients) {
      const { socket } = client;
      if (!socket.closed && !socket.finished) this.#finish(client);
      if (!socket.closed && socket.ending !== "fin") throw new Error("no FIN for FIN");
      socket.close();
    }
    loop.settle();
    const store = server.store as unknown as { openFds: number; cache: { fds: number } };
    const left = [kernel.open, server.counters.connections, store.openFds - store.cache.fds];
    if (left.some((count) => count !== 0) || kernel.violations.length > 0) {
      throw new Error(`left open ${left.join()}, ${kernel.violations.join()}: ${this.#describe()}`);
    }
  }

  #describe(): string {
    const clients = this.#clients.map((client) => {
      const { socket, pipeline, chunks } = client;
      const { receiver, state } = socket.connection ?? {};
      const backlog = receiver?.backlog ?? 0;
      const awaits = state?.awaits ?? "none";
      const asked = pipeline.asked.map((it) => it.slice(0, 60)).join(" | ");
      const facts = `${awaits}, ${socket.ending}, backlog ${backlog}, ${chunks.length} chunks`;
      return `[${facts}, ${String(pipeline.expected)}, asked ${asked}]`;
    });
    return `event ${this.#events} (${this.#last}): ${clients.join(" ")}`;
  }
}
