/**
 * Which ranges come out of an object store at once: so many, for whoever reads them as fast as
 * they come. The others wait, and peers that wait take turns. While somebody waits, a flow whose
 * reader takes nothing is parked, and so is one that has had its turn; both go on where they were.
 * A thousand readers that have stalled hold nothing then, and keep nobody waiting for long.
 */
import { FairQueue } from "../../guard/fairqueue.ts";
import { clock, tick } from "../../sys/clock.ts";
import { Flow, type FlowOwner } from "./flow.ts";
import type { ObjectVersion } from "./bucket.ts";
import type { Ranges } from "./ranges.ts";

/** Ranges under way at once: 1.3 MiB each where their readers stall, 83 MiB in all (measured). */
export const FLOWS_MAX = 64;

/** A reader that has taken nothing for so long gives way to one that waits, in milliseconds. */
export const STALLED_MS = 250;

/**
 * So long a range may run while others wait, in milliseconds. What is on its way when it is parked
 * is brought again, up to 1 MiB: of a connection of 100 MB/s that is half a hundredth.
 */
export const TURN_MS = 2000;

/**
 * So long the store may give nothing of what it was asked for, in milliseconds: a node that hangs
 * costs a reader some seconds and no more, since another one takes over.
 */
export const SILENT_MS = 15_000;

/** So many that nobody reads may stand in the queue before they are looked for. */
const LEFT_MAX = 256;

/** Milliseconds between two looks for one that gives way, while somebody waits. */
const LOOK_MS = 50;

/** The flows of one store. */
export class Flows implements FlowOwner {
  readonly #ranges: Ranges;
  readonly #most: number;
  readonly #running = new Set<Flow>();
  readonly #waiting = new FairQueue<Flow>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** Flows in the queue that nobody reads any more. */
  #left = 0;

  /** `most` run at once: FLOWS_MAX, but for tests. */
  constructor(ranges: Ranges, most = FLOWS_MAX) {
    this.#ranges = ranges;
    this.#most = most;
  }

  /** Those that run. */
  get running(): number {
    return this.#running.size;
  }

  /** Those that wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Bytes that have come and were not taken, of all of them. */
  get held(): number {
    let held = 0;
    for (const flow of this.#running) held += flow.held;
    return held;
  }

  /** As Source.stream, of one version. */
  begin(
    version: ObjectVersion,
    from: number,
    length: number,
    peer: string,
    awake: () => void,
  ): Flow {
    const flow = new Flow(version, from, length, peer, this.#ranges, this, awake);
    this.wants(flow);
    return flow;
  }

  wants(flow: Flow): void {
    if (this.#closed) return;
    if (this.#running.size < this.#most && this.#waiting.size === 0) {
      this.#run(flow);
      return;
    }
    flow.queued = true;
    this.#waiting.add(flow.peer, flow);
    this.#timer ??= setInterval(() => this.#giveWay(), LOOK_MS);
  }

  rests(flow: Flow): void {
    this.#running.delete(flow);
    this.#feed();
  }

  left(): void {
    this.#left += 1;
    if (this.#left <= Math.max(LEFT_MAX, this.#waiting.size / 2)) return;
    this.#waiting.sift((flow) => !flow.closed);
    this.#left = 0;
  }

  /** Ends those that the store gives nothing. About once a second. */
  sweep(): void {
    for (const flow of [...this.#running]) {
      if (flow.askedAt > 0 && clock.now - flow.askedAt > SILENT_MS) flow.fail();
    }
  }

  /** Ends all of them; nobody is told. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    for (const flow of [...this.#running]) flow.close();
    this.#rest();
  }

  // --- internal ---

  #run(flow: Flow): void {
    this.#running.add(flow);
    flow.run();
  }

  #feed(): void {
    while (this.#running.size < this.#most && !this.#closed) {
      const flow = this.#waiting.take()?.item;
      if (flow === undefined) break;
      flow.queued = false;
      if (flow.closed) this.#left -= 1;
      else this.#run(flow);
    }
    if (this.#waiting.size === 0) this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Parks as many as wait, as far as there are some that have to give way. */
  #giveWay(): void {
    const now = tick();
    this.#feed();
    const wanted = this.#waiting.size;
    const stalled = (flow: Flow): boolean =>
      flow.stalledAt > 0 && now - flow.stalledAt >= STALLED_MS;
    const over = [...this.#running].filter((flow) => stalled(flow) || now - flow.since >= TURN_MS);
    const counts = new Map<string, number>();
    for (const { peer } of this.#running) counts.set(peer, (counts.get(peer) ?? 0) + 1);
    // First who reads nothing, then those of the peer that has most, the oldest of them first.
    const rank = (flow: Flow): number => (stalled(flow) ? 0 : 1);
    const order = over.sort(
      (a, b) =>
        rank(a) - rank(b) ||
        (counts.get(b.peer) ?? 0) - (counts.get(a.peer) ?? 0) ||
        a.since - b.since,
    );
    for (const flow of order.slice(0, wanted)) {
      const reads = !stalled(flow);
      flow.park();
      // A reader that takes what comes waits for more of it already, or will ask for it.
      if (reads) flow.want();
    }
  }
}
