/**
 * The sources of one file: who takes part, what counts as its digests, and who is left out. It
 * brings no byte. With one source it asks that one and nothing else.
 *
 *   digests(range) -> HASH of up to VOTERS_MAX sources -+-> all say the same -> that
 *                                                       +-> else: HASH of the others too, a
 *                                                           majority or the first one named decides
 *
 * Where nobody tells digests of chunks all agree on that of the whole before (agreement.ts), and
 * nothing is asked here.
 *
 * Invariant: whoever takes part agrees with what counts, as far as it was asked; one source that
 * tells digests, or where nobody does any one, is never left out.
 */
import { ClientError, refusedError } from "../client/error.ts";
import type { DigestRange } from "../client/hash.ts";
import { verdictOf } from "./ballot.ts";
import { FEW_LATE_MS, Patience } from "./late.ts";
import { Source, type SourceFile } from "./source.ts";

/** Sources of one file: more than anybody names, and few enough for a bit each. */
export const SOURCES_MAX = 16;

/** Sources whose digests are compared: one of three that lies is outvoted; each reads the file. */
const VOTERS_MAX = 3;

/** The bytes of whole chunks, and how many one digest is of. */
type ChunkRange = Pick<DigestRange, "offset" | "length" | "chunk">;

/** One file's. */
export class Sources {
  /** In the order in which they were named; at least one. */
  readonly all: readonly Source[];
  /** The one whose version is taken for the file's: it was named first. */
  readonly first: Source;
  /** Somebody tells digests of chunks. */
  readonly #byChunks: boolean;
  readonly #left: (source: Source) => void;

  /** `left` is told when one takes part no more. */
  constructor(files: readonly SourceFile[], left: (source: Source) => void) {
    this.all = files.map((file) => (file instanceof Source ? file : new Source(file)));
    this.#byChunks = this.all.some(({ hashes }) => hashes);
    const [first] = this.all;
    if (first === undefined) throw new Error("a file has a source");
    this.first = first;
    this.#left = left;
  }

  /** Whether there was more than one to begin with. */
  get several(): boolean {
    return this.all.length > 1;
  }

  /** Whether the line to one of them is long. */
  get far(): boolean {
    return this.all.some(({ origin }) => origin.far);
  }

  /** The first one named that still takes part; that one of them whose version is published. */
  get remaining(): Source {
    return this.all.find(({ left }) => !left) ?? this.first;
  }

  /** Whether others than `source` can go on without it. */
  without(source: Source): boolean {
    const able = this.#byChunks ? this.#voters() : this.all.filter(({ left }) => !left);
    return able.some((one) => one !== source);
  }

  /**
   * Leaves `source` out and says `why`, which is printable. False, and nothing is done: no other
   * source could tell whether what comes is right.
   */
  leaveOut(source: Source, why: string): boolean {
    if (source.left) return true;
    if (!this.without(source)) return false;
    source.leave();
    source.origin.options.note(`${source.name} is left out: ${why}`);
    this.#left(source);
    return true;
  }

  /** What counts as the digests of `range`. Rejects with ClientError when nobody tells. */
  async digests(range: ChunkRange): Promise<readonly string[]> {
    if (!this.several) return this.first.hash(range);
    const poll = new Poll(range);
    let due = this.#due(poll, VOTERS_MAX);
    while (due.length > 0) {
      await poll.ask(due, (source, error) => this.#failed(source, error));
      due = poll.unanimous ? [] : this.#due(poll, poll.answered ? SOURCES_MAX : VOTERS_MAX);
    }
    return this.#decide(poll, range);
  }

  // --- internal ---

  #voters(): Source[] {
    return this.all.filter(({ hashes, left }) => hashes && !left);
  }

  /** Up to `most` that were not asked: those that are late only when nobody else has answered. */
  #due(poll: Poll, most: number): Source[] {
    const open = this.#voters().filter((source) => !poll.asked.has(source));
    const prompt = open.filter(({ late }) => !late);
    return (prompt.length > 0 || poll.answered ? prompt : open).slice(0, most);
  }

  #failed(source: Source, error: unknown): void {
    if (error instanceof ClientError && error.code === "ENOSYS") {
      // What comes from it is compared with the digests of the others.
      if (this.without(source)) source.hashes = false;
    } else if (error instanceof ClientError && error.kind !== "aborted") {
      this.leaveOut(source, error.message);
    }
  }

  #decide(poll: Poll, { offset, chunk }: ChunkRange): readonly string[] {
    const answered = this.all.filter((source) => poll.ballots.has(source));
    if (answered.length === 0) throw poll.error ?? this.#untold();
    // Who was left out meanwhile, for wrong bytes, has no vote unless nobody else has.
    const trusted = answered.filter(({ left }) => !left);
    const voted = trusted.length > 0 ? trusted : answered;
    const { digests, dissents } = verdictOf(voted.map((source) => poll.ballots.get(source) ?? []));
    for (const [nth, source] of voted.entries()) {
      const at = dissents[nth] ?? -1;
      if (at < 0) continue;
      const from = offset + BigInt(at) * (chunk ?? 0n);
      const others =
        dissents[0] === -1 ? `${voted[0]?.name}, which was named before` : "most others";
      this.leaveOut(source, `its content differs from byte ${from} on from that of ${others}`);
    }
    return digests;
  }

  /** Nobody was asked: who was thought to tell digests has been found out by another file. */
  #untold(): ClientError {
    const text = `${this.first.name}: no server tells digests by which it could be compared`;
    return refusedError("ENOSYS", text);
  }
}

// --- internal ---

/** One question to several sources. */
class Poll {
  readonly ballots = new Map<Source, readonly string[]>();
  readonly asked = new Set<Source>();
  /** Why the last that failed has failed. */
  error: unknown = null;
  readonly #range: ChunkRange;

  constructor(range: ChunkRange) {
    this.#range = range;
  }

  get answered(): boolean {
    return this.ballots.size > 0;
  }

  /** Whether there are answers, and all the same. */
  get unanimous(): boolean {
    const [first, ...others] = [...this.ballots.values()].map((digests) => digests.join());
    return first !== undefined && others.every((other) => other === first);
  }

  /**
   * Asks `sources`; resolves when all have answered or failed, or when those that have not are
   * late: their answers do not count any more.
   */
  async ask(
    sources: readonly Source[],
    failed: (source: Source, error: unknown) => void,
  ): Promise<void> {
    const patience = new Patience(FEW_LATE_MS);
    const pending = new Set(sources);
    const hurry = (): void => {
      if (pending.size === 0) patience.end();
      else if (this.answered) patience.answered(this.ballots.size >= pending.size);
    };
    const settle = (source: Source): void => {
      pending.delete(source);
      hurry();
    };
    let open = true;
    for (const source of sources) {
      this.asked.add(source);
      source.hash(this.#range).then(
        (digests) => {
          source.late = false;
          if (open) this.ballots.set(source, digests);
          settle(source);
        },
        (error: unknown) => {
          this.error = error;
          failed(source, error);
          settle(source);
        },
      );
    }
    // Others may have answered before: then nobody need answer now.
    hurry();
    await patience.over;
    open = false;
    for (const source of pending) source.late = true;
  }
}
