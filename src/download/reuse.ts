/**
 * What is the same in the file that is replaced is taken from it: chunks whose digests equal the
 * server's at the same place. For files that grew or were changed in place; what has moved is
 * fetched.
 *
 *   server's digest == digest of the old file's chunk -> copied -> read back and compared -> good
 *                   != -> missing: a connection fetches it
 *
 * The old file may change at any moment: what counts is what was read back of the copy.
 */
import type { Basis } from "../destination/basis.ts";
import type { Staged } from "../destination/staged.ts";
import type { Plan } from "./plan.ts";
import { readback } from "./readback.ts";
import type { SourceFile } from "./source.ts";
import type { Verifier } from "./verifier.ts";

/**
 * Bytes of a chunk where much is the same: of a change of 100 KiB three chunks are fetched, and the
 * digests are a fortieth of a percent of the file.
 */
export const CHUNK_BYTES_REUSED = 65_536;

/** Places at which both files are compared first: where all differ, the file is another one. */
const SAMPLES = 32;

/** Bytes whose digests are asked for ahead: within a second of hashing. */
const LOT_BYTES = 64 * 1024 * 1024;

/** Bytes digested or copied at a time: 1 ms. */
const RUN_BYTES = 4 * 1024 * 1024;

/** Chunks in a row. */
interface ChunkRun {
  readonly first: number;
  readonly count: number;
}

/** One file's. */
export class Reuse {
  readonly #plan: Plan;
  readonly #basis: Basis;
  readonly #staged: Staged;
  readonly #verifier: Verifier;
  readonly #refuse: (index: number) => void;

  /** `refuse` is told of each chunk that has to be fetched; the verifier of all others. */
  constructor(
    plan: Plan,
    basis: Basis,
    staged: Staged,
    verifier: Verifier,
    refuse: (index: number) => void,
  ) {
    this.#plan = plan;
    this.#basis = basis;
    this.#staged = staged;
    this.#verifier = verifier;
    this.#refuse = refuse;
  }

  /**
   * Takes what is the same of `chunks`, in ascending order, until `ended`. Rejects with ClientError
   * or LocalError.
   */
  async run(chunks: readonly number[], ended: () => boolean): Promise<void> {
    const lot = LOT_BYTES / this.#plan.chunkBytes;
    let asking = this.#verifier.expect(chunks.slice(0, lot));
    for (let at = 0; at < chunks.length; at += lot) {
      await asking;
      // The old file may be closed by now.
      if (ended()) return;
      asking = this.#verifier.expect(chunks.slice(at + lot, at + 2 * lot));
      // It is awaited in its turn; until then a rejection is not unhandled.
      asking.catch(() => {});
      await this.#takeLot(
        runsOf(chunks.slice(at, at + lot), RUN_BYTES / this.#plan.chunkBytes),
        ended,
      );
    }
  }

  // --- internal ---

  /** The thread digests the next run, and reads the one before back, while one is copied. */
  async #takeLot(runs: readonly ChunkRun[], ended: () => boolean): Promise<void> {
    let next = this.#digests(runs[0]);
    let comparing: Promise<unknown> = Promise.resolve();
    for (const [nth, run] of runs.entries()) {
      const found = await next;
      if (ended()) return;
      next = this.#digests(runs[nth + 1]);
      const compared = this.#take(run, found);
      // It is awaited in its turn; until then a rejection is not unhandled.
      compared.catch(() => {});
      await comparing;
      comparing = compared;
    }
    await comparing;
  }

  /** The digests of the old file's chunks; none where it can't be read. */
  async #digests(run: ChunkRun | undefined): Promise<readonly string[]> {
    if (run === undefined) return [];
    const { offset, length } = this.#rangeOf(run);
    const answer = await readback.digests(this.#basis, offset, length, this.#plan.chunkBytes);
    return typeof answer === "number" ? [] : answer;
  }

  /** Resolves when what was copied is compared. */
  async #take({ first, count }: ChunkRun, found: readonly string[]): Promise<void> {
    const comparing: Promise<void>[] = [];
    for (let nth = 0; nth < count;) {
      const from = nth;
      while (nth < count && this.#equals(first + nth, found[nth])) nth += 1;
      if (nth === from) {
        this.#refuse(first + nth);
        nth += 1;
        continue;
      }
      const same = { first: first + from, count: nth - from };
      const { offset, length } = this.#rangeOf(same);
      if (this.#basis.copyTo(this.#staged, offset, length)) {
        comparing.push(this.#verifier.checkCold(same.first, same.count));
      } else for (let index = same.first; index < first + nth; index++) this.#refuse(index);
    }
    await Promise.all(comparing);
  }

  #equals(index: number, digest: string | undefined): boolean {
    return digest !== undefined && digest === this.#verifier.expected(index);
  }

  #rangeOf({ first, count }: ChunkRun): { offset: number; length: number } {
    const { offset } = this.#plan.rangeOf(first);
    const last = this.#plan.rangeOf(first + count - 1);
    return { offset, length: last.offset + last.length - offset };
  }
}

/**
 * True when `basis` has anything of a file at its place, by some samples: one round trip. Of the
 * sources of that file counts the one that answers first: a wrong answer costs time and nothing
 * else. It does not reject: what is wrong shows again where the file is fetched.
 */
export async function resembles(basis: Basis, files: readonly SourceFile[]): Promise<boolean> {
  const telling = files.filter(({ origin }) => origin.verifies);
  const alike = Promise.any(telling.map((source) => hasSamples(basis, source)));
  const answer = await alike.catch(() => false);
  // The others may still be read: the descriptor stays until they are.
  await readback.forget(basis);
  return answer;
}

// --- internal ---

async function hasSamples(basis: Basis, { origin, file }: SourceFile): Promise<boolean> {
  const whole = Math.floor(Math.min(basis.size, Number(file.entry.size)) / CHUNK_BYTES_REUSED);
  const places = new Set<number>();
  for (let nth = 0; nth < SAMPLES && whole > 0; nth++) {
    places.add(Math.floor((nth * (whole - 1)) / (SAMPLES - 1)) * CHUNK_BYTES_REUSED);
  }
  const alike = [...places].map(async (offset) => {
    const length = CHUNK_BYTES_REUSED;
    const range = { offset: BigInt(offset), length: BigInt(length), chunk: BigInt(length) };
    const asked = origin.control.ask((client) => client.hash(file.path, range));
    const [there, here] = await Promise.all([asked, readback.digests(basis, offset, length)]);
    const same = typeof here !== "number" && there.digests[0] === here[0];
    return same && there.etag === file.entry.etag;
  });
  return (await Promise.all(alike)).includes(true);
}

/** `chunks`, in ascending order, as runs of neighbours of at most `most` each. */
function runsOf(chunks: readonly number[], most: number): ChunkRun[] {
  const runs: ChunkRun[] = [];
  for (let from = 0, to = 1; from < chunks.length; to++) {
    const first = chunks[from] ?? 0;
    if (to - from < most && chunks[to] === first + to - from) continue;
    runs.push({ first, count: to - from });
    from = to;
  }
  return runs;
}
