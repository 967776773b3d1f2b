/**
 * The memory that all processes of one server see: who of them is there, how many connections each
 * peer has, who is sending, who showed wrong tokens, what each has counted. It is a file in memory
 * that the first process makes and hands on; its size is fixed and its pages exist once touched.
 *
 * Each process has a plane that it alone writes. The one that starts them clears a plane when its
 * process has ended, and keeps what it had counted (decision 0044).
 */
import { randomBytes } from "node:crypto";
import { PEER_PLANE_WORDS, PeerCounts } from "../guard/peercounts.ts";
import { FAILURES_BYTES, SharedFailures } from "../guard/sharedfailures.ts";
import { SENDING_PLANE_WORDS, SharedSending } from "../guard/sharedsending.ts";
import { kernel } from "../sys/kernel.ts";
import { sharedMemory } from "../sys/processes.ts";
import { Told } from "../observe/told.ts";
import { type Observed, ownFacts, pastOf } from "./facts.ts";

/**
 * Processes of one server at a time: workers, and those of before a reload that still finish. Each
 * look over all planes is a read for each of them.
 */
export const PLANES_MAX = 128;

/** Bytes that one process tells of itself: its counts take 3 KiB, its transfers the rest. */
const TOLD_BYTES_MAX = 65_536;

/** Words of a plane's head: the process id (0: nobody), and whether it serves. */
const ID_WORD = 0;
const SERVES_WORD = 1;
/** Grows with each sweep: a process whose loop stands still is known by it. */
const BEAT_WORD = 2;

const HEAD_BYTES = 4096;
const COUNTS_AT = HEAD_BYTES;
const SENDING_AT = COUNTS_AT + roundUp(PEER_PLANE_WORDS * 4);
const TOLD_AT = SENDING_AT + roundUp(SENDING_PLANE_WORDS * 4);
const PLANE_BYTES = TOLD_AT + roundUp(Told.bytes(TOLD_BYTES_MAX));

/** What is nobody's own: the secret of hashes, wrong tokens, the past. */
const FAILURES_AT = HEAD_BYTES;
const PAST_AT = FAILURES_AT + roundUp(FAILURES_BYTES);
const PLANES_AT = PAST_AT + roundUp(Told.bytes(TOLD_BYTES_MAX));

const MEMORY_BYTES = PLANES_AT + PLANES_MAX * PLANE_BYTES;

/** The memory, as the process sees it that starts and ends the others. */
export class Colleagues {
  readonly #memory: ArrayBuffer;
  readonly #heads: readonly Int32Array[];
  readonly #told: readonly Told[];
  readonly #past: Told;

  /** `memory` is what make() or open() gave. */
  private constructor(memory: ArrayBuffer) {
    this.#memory = memory;
    const planes = Array.from({ length: PLANES_MAX }, (_, nth) => PLANES_AT + nth * PLANE_BYTES);
    this.#heads = planes.map((at) => new Int32Array(memory, at, HEAD_BYTES / 4));
    this.#told = planes.map((at) => new Told(memory, at + TOLD_AT, TOLD_BYTES_MAX));
    this.#past = new Told(memory, PAST_AT, TOLD_BYTES_MAX);
  }

  /** A new one in a new file, whose descriptor `fd` is handed on; null where there can be none. */
  static make(): { colleagues: Colleagues; fd: number } | null {
    const fd = kernel.memfd("serv6");
    if (fd < 0 || kernel.ftruncate(fd, BigInt(MEMORY_BYTES)) < 0) return null;
    const colleagues = Colleagues.open(fd);
    if (colleagues === null) return null;
    new Uint8Array(colleagues.#memory, 0, 8).set(randomBytes(8));
    new Float64Array(colleagues.#memory, 8, 1)[0] = Date.now();
    return { colleagues, fd };
  }

  /** The one in the file `fd`, which another process has made; null: it is none. */
  static open(fd: number): Colleagues | null {
    const memory = sharedMemory(fd, MEMORY_BYTES);
    return memory === null ? null : new Colleagues(memory);
  }

  /** When the server started, in milliseconds since 1970. */
  get started(): number {
    return new Float64Array(this.#memory, 8, 1)[0] ?? 0;
  }

  /** The number of a plane that is nobody's; -1: there is none. */
  free(): number {
    return this.#heads.findIndex((head) => Atomics.load(head, ID_WORD) === 0);
  }

  /** The plane `nth` is the process `id`'s. */
  take(nth: number, id: number): void {
    Atomics.store(this.#heads[nth]!, ID_WORD, id);
  }

  /** Whether the process of plane `nth` has said that it serves. */
  serves(nth: number): boolean {
    return Atomics.load(this.#heads[nth]!, SERVES_WORD) === 1;
  }

  /** Another number each second while the loop of plane `nth` turns. */
  beat(nth: number): number {
    return Atomics.load(this.#heads[nth]!, BEAT_WORD);
  }

  /** The process of plane `nth` has ended: its counts are the past's, and it is nobody's. */
  clear(nth: number): void {
    this.#past.tell(JSON.stringify(pastOf(this.#past.read(), this.#told[nth]!.read())));
    const at = PLANES_AT + nth * PLANE_BYTES;
    const head = this.#heads[nth]!;
    // Nobody counts it while it is cleared.
    Atomics.store(head, ID_WORD, 0);
    new Uint8Array(this.#memory, at + HEAD_BYTES, TOLD_AT - HEAD_BYTES).fill(0);
    this.#told[nth]!.tell("");
    head.fill(0);
  }

  /** What the process of plane `nth` sees of it. */
  memberOf(nth: number): Colleague {
    const memory = this.#memory;
    const seed = new BigUint64Array(memory, 0, 1)[0] ?? 0n;
    const starts = this.#heads.map((_, plane) => PLANES_AT + plane * PLANE_BYTES);
    const live = (): number[] => {
      const all: number[] = [];
      for (let plane = 0; plane < PLANES_MAX; plane++) {
        if (Atomics.load(this.#heads[plane]!, ID_WORD) !== 0) all.push(plane);
      }
      return all;
    };
    const counts = starts.map((at) => new Int32Array(memory, at + COUNTS_AT, PEER_PLANE_WORDS));
    const sending = starts.map((at) => ({
      words: new Int32Array(memory, at + SENDING_AT, SENDING_PLANE_WORDS),
      rates: new Float64Array(memory, at + SENDING_AT, SENDING_PLANE_WORDS / 2),
    }));
    const head = this.#heads[nth]!;
    return {
      peers: new PeerCounts(counts, nth, live, seed),
      sending: new SharedSending(sending, nth, live, seed),
      failures: new SharedFailures(memory, FAILURES_AT, seed),
      started: this.started,
      serves: () => void Atomics.store(head, SERVES_WORD, 1),
      beat: () => void Atomics.add(head, BEAT_WORD, 1),
      tell: (facts) => this.#told[nth]!.tell(facts),
      others: () => [
        this.#past.read(),
        ...live().flatMap((plane) => (plane === nth ? [] : [this.#told[plane]!.read()])),
      ],
    };
  }
}

/** One process of several that serve the same. */
export interface Colleague {
  readonly peers: PeerCounts;
  readonly sending: SharedSending;
  readonly failures: SharedFailures;
  /** When the first of them started, in milliseconds since 1970. */
  readonly started: number;
  /** It has begun to serve. */
  serves(): void;
  /** Its loop turns. */
  beat(): void;
  /** Publishes JSON of itself; false: it is too long. */
  tell(facts: string): boolean;
  /** What the others have published last, and the past. */
  others(): unknown[];
}

/** Tells the others of this process. What is too long is told without the transfers. */
export function tellOthers(colleague: Colleague, observed: Observed): void {
  const facts = ownFacts(observed);
  if (!colleague.tell(JSON.stringify(facts))) {
    colleague.tell(JSON.stringify({ ...facts, transfers: [] }));
  }
  colleague.beat();
}

// --- internal ---

/** Whole pages: what one process writes shares none with what another does. */
function roundUp(bytes: number): number {
  return Math.ceil(bytes / HEAD_BYTES) * HEAD_BYTES;
}
