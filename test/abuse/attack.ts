/**
 * What an attack is, and what an attacker has: a port, a folder that is served, and a time. An
 * attack is a loop of its own in a process of its own: it may block, starve and be killed.
 */
import { awaitReplies, RawSocket } from "./socket.ts";

/** Addresses that an attacker may come from: 127.0.0.2 to 127.0.0.200. Honest clients are .1. */
export const ADDRESSES_MAX = 199;
const ADDRESS_FIRST = 2;

/** For the load to be on, in milliseconds: 2,000 connects, some refused, or a digest. */
export const BEGIN_MS_MAX = 5_000;

/** One request, asked on a server at rest, and how the reply begins: it asks what it says. */
export interface Sample {
  readonly request: string | Uint8Array;
  readonly answer: RegExp;
}

/** One attack. */
export interface Attack {
  /** Lower case with hyphens: what `--only` and the attacker's command line take. */
  readonly name: string;
  /** What the attacker does, in a few words. */
  readonly does: string;
  readonly sample: Sample;
  /** The process is stopped by SIGSTOP as soon as the load is on; all are killed at last. */
  readonly stopped?: true;
  /** Runs until its time is over or it is killed. Calls begun() once the load is on. */
  run(attacker: Attacker): void;
}

/** How connections are made. */
export interface CrowdOptions {
  /** Addresses they come from, in turns. */
  readonly addresses?: number;
  /** SO_RCVBUF, in bytes. */
  readonly receiveBytes?: number;
  /** Asked once before, and its reply awaited: what the crowd asks for is at hand then. */
  readonly first?: string;
}

/** The attacker's side of a run. */
export class Attacker {
  readonly port: number;
  /** The served folder: the attacker may also have an account on the machine. */
  readonly root: string;
  readonly #ms: number;
  readonly #begun: () => void;
  #end = performance.now() + BEGIN_MS_MAX;
  #told = false;
  #turn = 0;

  /** Attacks for `ms` from when the load is on; then `begun` is called, once. */
  constructor(port: number, root: string, ms: number, begun: () => void) {
    this.port = port;
    this.root = root;
    this.#ms = ms;
    this.#begun = begun;
  }

  get over(): boolean {
    return performance.now() >= this.#end;
  }

  get msLeft(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /** The load is on: honest clients are measured from here. */
  begun(): void {
    if (this.#told) return;
    this.#told = true;
    this.#end = performance.now() + this.#ms;
    this.#begun();
  }

  /** A connection from the next address, or null when it is not taken. */
  connect({ addresses = 1, receiveBytes }: CrowdOptions = {}): RawSocket | null {
    const from = ADDRESS_FIRST + (this.#turn++ % addresses);
    return RawSocket.connect({ from, port: this.port, receiveBytes });
  }

  /** As many of `count` connections as are taken before the time is over. */
  crowd(count: number, options: CrowdOptions = {}): RawSocket[] {
    if (options.first !== undefined) this.#ask(options.first);
    const sockets: RawSocket[] = [];
    for (let i = 0; i < count && !this.over; i++) {
      const socket = this.connect(options);
      if (socket !== null) sockets.push(socket);
    }
    return sockets;
  }

  /** Lets `ms` pass, or what is left. */
  sleep(ms: number): void {
    Bun.sleepSync(Math.max(1, Math.min(ms, this.msLeft)));
  }

  /** Waits for replies to any of `sockets`, at most `ms` or what is left. */
  awaitReplies(sockets: readonly RawSocket[], ms: number): void {
    awaitReplies(sockets, Math.min(ms, this.msLeft));
  }

  // --- internal ---

  #ask(request: string): void {
    const socket = this.connect();
    socket?.send(Buffer.from(request, "latin1"));
    if (socket !== null) this.awaitReplies([socket], this.msLeft);
    socket?.close();
  }
}
