/**
 * A server in a simulation: real files, fake sockets, time that passes when the test says so. What
 * takes minutes outside takes none here, and happens at the same moment each time.
 */
import type { Connection } from "../../src/server/connection.ts";
import type { Server } from "../../src/server/serve.ts";
import { CALM, FakeKernel, FakeSocket, type Temper } from "./fake-socket.ts";
import { warmNames } from "./faults.ts";
import { inlineLooks } from "./inlinelooks.ts";
import { Running, type RunningOptions } from "./running.ts";
import { SimulatedLoop } from "./simulatedloop.ts";
import { Tree } from "./tree.ts";

/** A client of the simulation. */
export class SimulatedPeer {
  readonly socket: FakeSocket;
  readonly connection: Connection;
  #came: Buffer[] = [];

  constructor(server: Server, kernel: FakeKernel, temper: Temper, address?: string) {
    const sink = (bytes: Uint8Array): void => void this.#came.push(Buffer.from(bytes));
    this.socket = new FakeSocket(kernel, temper, sink, address);
    const connection = server.accept(this.socket);
    if (connection === null) throw new Error("cut at the door");
    this.connection = connection;
    this.socket.connection = connection;
  }

  /** Everything that came, also what is still in its kernel's buffer. */
  get bytes(): Buffer {
    const bytes = Buffer.concat(this.#came);
    this.#came = [bytes];
    return bytes;
  }

  get text(): string {
    return this.bytes.toString("latin1");
  }

  send(text: string): void {
    this.connection.data(Buffer.from(text, "latin1"));
  }

  /** FIN. */
  finish(): void {
    this.socket.finished = true;
    this.connection.end();
  }

  /** Reads `count` bytes of what its kernel has. */
  take(count = Infinity): void {
    this.socket.queued -= Math.min(count, this.socket.queued);
  }

  /** Room, though nobody was refused any. */
  drainWithoutCause(): void {
    this.socket.refused = false;
    this.connection.drain();
  }

  /** The socket has room, and says so if it was asked to. */
  drain(): void {
    if (!this.socket.armed || this.socket.free === 0) return;
    this.socket.armed = this.socket.refused = false;
    this.connection.drain();
  }
}

/** The simulation (`using`): while it runs, nothing else may wait for the real loop. */
export class Simulation implements Disposable {
  readonly tree: Tree;
  readonly loop: SimulatedLoop;
  readonly kernel: FakeKernel;
  readonly running: Running;
  readonly #faults = new DisposableStack();

  constructor(files: Record<string, string | Uint8Array | null>, options: RunningOptions = {}) {
    this.tree = new Tree(files);
    this.loop = new SimulatedLoop();
    this.kernel = new FakeKernel();
    // What happens to be in memory must not decide the course of events.
    this.#faults.use(warmNames());
    this.#faults.use(inlineLooks());
    this.running = new Running(this.tree.root, options);
  }

  connect(temper: Partial<Temper> = {}, address?: string): SimulatedPeer {
    return new SimulatedPeer(this.running.server, this.kernel, { ...CALM, ...temper }, address);
  }

  /** Lets `ms` pass and everything happen that happens meanwhile. */
  pass(ms: number): void {
    this.loop.pass(ms);
    this.loop.settle();
  }

  /** The peers take all they can, until nothing moves. */
  flow(...peers: readonly SimulatedPeer[]): void {
    for (let moved = -1; ;) {
      this.loop.settle();
      for (const peer of peers) {
        peer.take();
        peer.drain();
      }
      const now = peers.reduce((sum, { socket }) => sum + socket.taken, 0);
      if (now === moved && this.loop.immediates + this.loop.reads === 0) return;
      moved = now;
    }
  }

  [Symbol.dispose](): void {
    void this.running.server.stop(0);
    this.pass(1000);
    const { violations } = this.kernel;
    this.kernel[Symbol.dispose]();
    this.#faults.dispose();
    this.loop[Symbol.dispose]();
    this.tree[Symbol.dispose]();
    if (violations.length > 0) throw new Error([...new Set(violations)].join("; "));
  }
}
