/**
 * Owns the loop of one load process: its connections, its epoll loop, its counts.
 * Closed: each connection keeps `depth` requests in flight; a complete reply is recorded and the
 * next request sent. Open: requests are sent when they are due, on one connection after the other,
 * and their latency counts from then on, so that a server that pauses is charged for everybody who
 * would have come meanwhile (no coordinated omission). It spins, since a timer that wakes a core
 * adds some 50 us: its core is busy by design. What it sends too late it counts itself.
 * Synchronous from begin to end: Bun's event loop never runs meanwhile.
 * Never copies a large body: once its head is read, the rest is dropped in the kernel.
 * Invariant: each reply is recorded against the oldest request of its connection.
 */
import { type Door, DOORS } from "./door.ts";
import { Histogram } from "./histogram.ts";
import { dial, type Link } from "./link.ts";
import type { LoadPlan } from "./plan.ts";
import { Expected, ReplyReader } from "./reply.ts";
import * as sys from "./sys.ts";

/** From this many bytes on, a body is discarded rather than read; below, one read is cheaper. */
const DISCARD_BYTES_MIN = 12 * 1024;

/** Bytes of a read that expects only a head, when the body after it is to be discarded. */
const HEAD_READ_BYTES = 512;
const READ_BYTES = 256 * 1024;
const EVENTS_MAX = 512;
const CONNECT_MS_MAX = 5_000;

/** Open loop: requests of one connection that may wait for their replies; more are sent later. */
const WAITING_MAX = 1024;

/** A load process looks at its deadline at least this often. */
const WAIT_MS = 50;

/** When nothing at all arrives for so long, the server is taken for dead. */
const SILENCE_NS_MAX = 10e9;

interface Connection {
  link: Link;
  readonly reader: ReplyReader;
  /** When each request in flight was sent or due, in a ring; `next` is the oldest. */
  readonly sentAt: Float64Array;
  next: number;
  inFlight: number;
  /** Bytes of requests that the socket did not take yet. */
  owed: number;
  /** Bytes of a reply that ends with its connection. */
  got: number;
}

export class Load {
  requests = 0;
  bodyBytes = 0;
  readonly latency = new Histogram();
  /** Open loop: nanoseconds from when a request was due until it was sent. */
  readonly lateness = new Histogram();
  private readonly plan: LoadPlan;
  private readonly connections: Connection[] = [];
  private readonly epoll = sys.epollCreate();
  private readonly events = new sys.EventList(EVENTS_MAX);
  private readonly buffer = new Uint8Array(new ArrayBuffer(READ_BYTES));
  private readonly requestLength: number;
  /** Each request has a connection of its own. */
  private readonly closes: boolean;
  private readonly door: Door;
  /** One request more than can be owed: any number of bytes owed begins somewhere in the first. */
  private readonly outgoing: Uint8Array;
  private readonly readMax: number;
  private lastEventAt = 0;
  /** Open loop: nanoseconds between two requests, 0 in a closed one; when the first was due. */
  private readonly intervalNs: number;
  private firstDueAt = 0;
  private sent = 0;

  constructor(plan: LoadPlan) {
    this.plan = plan;
    const door = (this.door = DOORS[plan.door]);
    this.closes = door.closes === true;
    const alone = this.closes || door.fresh === true;
    if (alone && (plan.depth > 1 || plan.ratePerSecond !== null)) {
      throw new Error(`${plan.door}: one request a connection, so depth 1 in a closed loop`);
    }
    const request = door.request(plan.path);
    this.requestLength = request.length;
    const { ratePerSecond } = plan;
    const ring = ratePerSecond === null ? plan.depth : WAITING_MAX;
    this.intervalNs = ratePerSecond === null ? 0 : 1e9 / ratePerSecond;
    this.outgoing = new Uint8Array(request.length * (ring + 1));
    for (let i = 0; i <= ring; i++) this.outgoing.set(request, i * request.length);
    const headOnly = plan.bodyLength >= DISCARD_BYTES_MIN && !this.closes;
    this.readMax = headOnly ? HEAD_READ_BYTES : READ_BYTES;
    const expected = new Expected(door, plan.bodyLength);
    for (let i = 0; i < plan.connections; i++) {
      const link = dial(door, plan.port, CONNECT_MS_MAX);
      const reader = new ReplyReader(expected);
      const sentAt = new Float64Array(ring);
      this.connections.push({ link, reader, sentAt, next: 0, inFlight: 0, owed: 0, got: 0 });
      sys.epollAdd(this.epoll, link.fd, i);
    }
  }

  /** Puts the first requests on their way: in a closed loop `depth` on every connection. */
  begin(): void {
    this.firstDueAt = this.lastEventAt = Bun.nanoseconds();
    if (this.intervalNs > 0) return;
    for (let i = 0; i < this.connections.length; i++) {
      const connection = this.connections[i]!;
      connection.sentAt.fill(Bun.nanoseconds());
      connection.inFlight = this.plan.depth;
      this.send(connection, this.plan.depth);
    }
  }

  /** Forgets what was counted so far; requests in flight count when they complete. */
  resetCounts(): void {
    this.requests = 0;
    this.bodyBytes = 0;
    this.latency.reset();
    this.lateness.reset();
  }

  /** Runs the loop until `deadlineNs` on the clock of Bun.nanoseconds. */
  runUntil(deadlineNs: number): void {
    const waitMs = this.intervalNs > 0 ? 0 : WAIT_MS;
    for (;;) {
      if (this.intervalNs > 0) this.sendDue(Bun.nanoseconds());
      const count = this.events.wait(this.epoll, waitMs);
      // A server that was woken on this core would wait milliseconds for it: up to 80 were seen.
      if (count === 0 && this.intervalNs > 0) sys.yieldCore();
      const now = Bun.nanoseconds();
      if (count > 0) this.lastEventAt = now;
      if (now - this.lastEventAt > SILENCE_NS_MAX) throw new Error("the server fell silent");
      for (let i = 0; i < count; i++) this.handle(this.events.index(i), this.events.flags(i));
      if (now >= deadlineNs) return;
    }
  }

  /**
   * Open loop: counts the latency of what was due by `now` and has no reply, which is at least the
   * time since; or a server that stops answering would look as good as it was before.
   */
  recordUnanswered(now: number): void {
    if (this.intervalNs === 0) return;
    for (const { sentAt, next, inFlight } of this.connections) {
      for (let i = 0; i < inFlight; i++) {
        this.latency.record(now - sentAt[(next + i) % sentAt.length]!);
      }
    }
    for (let nth = this.sent; this.dueAt(nth) <= now; nth++) {
      this.latency.record(now - this.dueAt(nth));
    }
  }

  close(): void {
    for (const connection of this.connections) connection.link.close();
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
    if (this.closes) {
      this.readToEnd(connection, index);
      return;
    }
    const { link, reader } = connection;
    for (;;) {
      const { bodyLeft, bodyTaken } = reader;
      const discarding = bodyLeft >= DISCARD_BYTES_MIN;
      const wanted = discarding ? bodyLeft : this.readMax;
      const n = discarding ? link.discard(this.buffer, wanted) : link.receive(this.buffer, wanted);
      if (n === sys.AGAIN) return;
      if (n === 0) throw new Error("the server closed a connection");
      const completed = discarding ? reader.skip(n) : reader.feed(this.buffer, n);
      this.bodyBytes += completed * this.plan.bodyLength + reader.bodyTaken - bodyTaken;
      if (completed > 0) {
        if (this.door.fresh === true) this.renew(connection, index);
        this.complete(connection, completed);
      }
      if (n < wanted && link.shortIsEmpty) return;
      // In an open loop more may be in flight than the depth of a closed one.
      const answered = this.intervalNs === 0 && completed === this.plan.depth;
      if (answered || connection.inFlight === 0) return;
    }
  }

  /** A reply that ends with its connection; the next request takes another one. */
  private readToEnd(connection: Connection, index: number): void {
    for (;;) {
      const n = connection.link.receive(this.buffer, this.readMax);
      if (n === sys.AGAIN) return;
      this.bodyBytes += n;
      connection.got += n;
      if (n > 0) continue;
      if (connection.got !== this.plan.bodyLength)
        throw new Error(`a reply of ${connection.got} bytes`);
      connection.got = 0;
      this.renew(connection, index);
      this.complete(connection, 1);
      return;
    }
  }

  /** Another connection in place of one that has brought its reply. */
  private renew(connection: Connection, index: number): void {
    connection.link.close();
    connection.link = dial(this.door, this.plan.port, CONNECT_MS_MAX);
    sys.epollAdd(this.epoll, connection.link.fd, index);
  }

  /** Records the oldest requests as answered; in a closed loop as many new ones follow. */
  private complete(connection: Connection, completed: number): void {
    const now = Bun.nanoseconds();
    const { sentAt } = connection;
    if (completed > connection.inFlight) throw new Error("more replies than requests");
    for (let i = 0; i < completed; i++) {
      this.latency.record(now - sentAt[connection.next]!);
      sentAt[connection.next] = now;
      connection.next = connection.next + 1 === sentAt.length ? 0 : connection.next + 1;
    }
    this.requests += completed;
    if (this.intervalNs > 0) connection.inFlight -= completed;
    else this.send(connection, completed);
  }

  /** Open loop: sends what is due by `now`; what finds no room stays due, and is late. */
  private sendDue(now: number): void {
    for (;;) {
      const dueAt = this.dueAt(this.sent);
      const connection = this.connections[this.sent % this.connections.length]!;
      const { sentAt, inFlight } = connection;
      if (dueAt > now || inFlight === sentAt.length) return;
      sentAt[(connection.next + inFlight) % sentAt.length] = dueAt;
      connection.inFlight += 1;
      this.sent += 1;
      this.lateness.record(Bun.nanoseconds() - dueAt);
      this.send(connection, 1);
    }
  }

  /** When the `nth` request of an open loop, counted from 0, is due. */
  private dueAt(nth: number): number {
    return this.firstDueAt + nth * this.intervalNs;
  }

  private send(connection: Connection, count: number): void {
    const before = connection.owed;
    const total = before + count * this.requestLength;
    const offset = (this.requestLength - (before % this.requestLength)) % this.requestLength;
    const bytes = offset === 0 ? this.outgoing : this.outgoing.subarray(offset);
    const n = connection.link.transmit(bytes, total);
    connection.owed = n === sys.AGAIN ? total : total - n;
  }
}
