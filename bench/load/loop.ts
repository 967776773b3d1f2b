/**
 * Owns the closed loop of one load process: its connections, its epoll loop, its counts.
 * Each connection keeps `depth` requests in flight: a complete reply is recorded and the next
 * request sent. Synchronous from begin to end: Bun's event loop never runs meanwhile.
 * Never copies a large body: once its head is read, the rest is dropped in the kernel.
 * Invariant: between two events each connection has exactly `depth` requests sent or owed.
 */
import { DOORS } from "./door.ts";
import { Histogram } from "./histogram.ts";
import type { LoadPlan } from "./plan.ts";
import { Expected, ReplyReader } from "./reply.ts";
import * as sys from "./sys.ts";

/** From this many bytes on, a body is discarded rather than read; below, one read is cheaper. */
const DISCARD_BYTES_MIN = 12 * 1024;

/** Bytes of a read that expects only a head, when the body after it is to be discarded. */
const HEAD_READ_BYTES = 512;
const READ_BYTES = 256 * 1024;
const EVENTS_MAX = 512;

/** A load process looks at its deadline at least this often. */
const WAIT_MS = 50;

/** When nothing at all arrives for so long, the server is taken for dead. */
const SILENCE_NS_MAX = 10e9;

interface Connection {
  readonly fd: number;
  readonly reader: ReplyReader;
  /** When each request in flight was sent, in order; `next` is the oldest. */
  readonly sentAt: Float64Array;
  next: number;
  /** Bytes of requests that the socket did not take yet. */
  owed: number;
}

export class Load {
  requests = 0;
  bodyBytes = 0;
  readonly latency = new Histogram();
  private readonly plan: LoadPlan;
  private readonly connections: Connection[] = [];
  private readonly epoll = sys.epollCreate();
  private readonly events = new sys.EventList(EVENTS_MAX);
  private readonly buffer = new Uint8Array(new ArrayBuffer(READ_BYTES));
  private readonly requestLength: number;
  /** `depth` + 1 requests: any number of bytes owed begins somewhere in the first. */
  private readonly outgoing: Uint8Array;
  private readonly readMax: number;
  private lastEventAt = 0;

  constructor(plan: LoadPlan) {
    this.plan = plan;
    const door = DOORS[plan.door];
    const request = door.request(plan.path);
    this.requestLength = request.length;
    this.outgoing = new Uint8Array(request.length * (plan.depth + 1));
    for (let i = 0; i <= plan.depth; i++) this.outgoing.set(request, i * request.length);
    this.readMax = plan.bodyLength >= DISCARD_BYTES_MIN ? HEAD_READ_BYTES : READ_BYTES;
    const expected = new Expected(door, plan.bodyLength);
    for (let i = 0; i < plan.connections; i++) {
      const fd = sys.connectLoopback(plan.port, 5_000);
      const reader = new ReplyReader(expected);
      const sentAt = new Float64Array(plan.depth);
      this.connections.push({ fd, reader, sentAt, next: 0, owed: 0 });
      sys.epollAdd(this.epoll, fd, i);
    }
  }

  /** Puts the first `depth` requests of every connection on their way. */
  begin(): void {
    this.lastEventAt = Bun.nanoseconds();
    for (let i = 0; i < this.connections.length; i++) {
      const connection = this.connections[i]!;
      connection.sentAt.fill(Bun.nanoseconds());
      this.send(connection, this.plan.depth);
    }
  }

  /** Forgets what was counted so far; requests in flight count when they complete. */
  resetCounts(): void {
    this.requests = 0;
    this.bodyBytes = 0;
    this.latency.reset();
  }

  /** Runs the loop until `deadlineNs` on the clock of Bun.nanoseconds. */
  runUntil(deadlineNs: number): void {
    for (;;) {
      const count = this.events.wait(this.epoll, WAIT_MS);
      const now = Bun.nanoseconds();
      if (count > 0) this.lastEventAt = now;
      if (now - this.lastEventAt > SILENCE_NS_MAX) throw new Error("the server fell silent");
      for (let i = 0; i < count; i++) this.handle(this.events.index(i), this.events.flags(i));
      if (now >= deadlineNs) return;
    }
  }

  close(): void {
    for (const connection of this.connections) sys.closeSocket(connection.fd);
    sys.closeSocket(this.epoll);
  }

  // --- internal ---

  /**
   * Reads what has come. Edge-triggered: a read that was filled is followed by another, a short one
   * has emptied the socket; what comes later is another event.
   */
  private handle(index: number, flags: number): void {
    const connection = this.connections[index]!;
    if (connection.owed > 0) this.send(connection, 0);
    if ((flags & ~sys.EPOLLOUT) === 0) return;
    const { fd, reader } = connection;
    for (;;) {
      const { bodyLeft, bodyTaken } = reader;
      const discarding = bodyLeft >= DISCARD_BYTES_MIN;
      const wanted = discarding ? bodyLeft : this.readMax;
      const n = discarding ? sys.discard(fd, wanted) : sys.receive(fd, this.buffer, wanted);
      if (n === sys.AGAIN) return;
      if (n === 0) throw new Error("the server closed a connection");
      const completed = discarding ? reader.skip(n) : reader.feed(this.buffer, n);
      this.bodyBytes += completed * this.plan.bodyLength + reader.bodyTaken - bodyTaken;
      if (completed > 0) this.complete(connection, completed);
      if (n < wanted || completed === this.plan.depth) return;
    }
  }

  /** Records the oldest requests as answered and sends as many new ones in their place. */
  private complete(connection: Connection, completed: number): void {
    const now = Bun.nanoseconds();
    const { sentAt } = connection;
    const depth = this.plan.depth;
    if (completed > depth) throw new Error("more replies than requests");
    for (let i = 0; i < completed; i++) {
      this.latency.record(now - sentAt[connection.next]!);
      sentAt[connection.next] = now;
      connection.next = connection.next + 1 === depth ? 0 : connection.next + 1;
    }
    this.requests += completed;
    this.send(connection, completed);
  }

  private send(connection: Connection, count: number): void {
    const before = connection.owed;
    const total = before + count * this.requestLength;
    const offset = (this.requestLength - (before % this.requestLength)) % this.requestLength;
    const bytes = offset === 0 ? this.outgoing : this.outgoing.subarray(offset);
    const n = sys.transmit(connection.fd, bytes, total);
    connection.owed = n === sys.AGAIN ? total : total - n;
  }
}
