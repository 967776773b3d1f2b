/**
 * The verifier of one file: compares what is on the disk with what the server has, chunk by chunk,
 * while the file arrives. It asks for digests over a connection of its own, so that they never hold
 * up the bytes, and reads each chunk back when it has just been written and is still in the page
 * cache.
 *
 * Invariant: a chunk is compared once for each time it came, and only with a digest of the wanted
 * version.
 */
import { type LocalError, localError } from "../destination/error.ts";
import type { Staged } from "../destination/staged.ts";
import { DIGESTS_MAX } from "../wire/digest.ts";
import type { DigestRange } from "../client/hash.ts";
import type { Plan } from "./plan.ts";
import { readBack, readback } from "./readback.ts";

/** Bytes whose digests one request asks for: a server hashes them within a second. */
const ASKED_BYTES = 256 * 1024 * 1024;

/**
 * Files from this size on are read back by the thread: its start costs 10 ms, and below nothing is
 * gained by it.
 */
const THREAD_BYTES_MIN = 64 * 1024 * 1024;

/** Whose file is compared. */
export interface VerifierOwner {
  readonly plan: Plan;
  readonly file: Staged;
  /** Asks for the digests of the wanted version, one for each chunk of the range. */
  digests(range: Pick<DigestRange, "offset" | "length" | "chunk">): Promise<readonly string[]>;
  /** The chunk was compared: `good` when it is what the server has. */
  compared(index: number, good: boolean): void;
  /** The chunk can't be read back: LocalError. */
  failed(error: LocalError): void;
}

/** The comparisons of one file. */
export class Verifier {
  readonly #owner: VerifierOwner;
  /** The server's digests by chunk, as far as they are known. */
  readonly #expected: (string | undefined)[] = [];
  /** Digests of what is on the disk, of chunks whose expected digest is still to come. */
  readonly #found = new Map<number, string>();
  /** Chunks asked for or known. */
  readonly #asked = new Set<number>();

  constructor(owner: VerifierOwner) {
    this.#owner = owner;
  }

  /**
   * Asks for the digests of `chunks`, in ascending order, where that has not been done: neighbours
   * by one request.
   */
  async expect(chunks: readonly number[]): Promise<void> {
    const most = Math.min(DIGESTS_MAX, ASKED_BYTES / this.#owner.plan.chunkBytes);
    const asking: Promise<void>[] = [];
    const due = chunks.filter((index) => !this.#asked.has(index));
    for (let first = 0, next = 1; first < due.length; next++) {
      const from = due[first] ?? 0;
      if (next - first < most && due[next] === from + next - first) continue;
      asking.push(this.#ask(from, from + next - first - 1));
      first = next;
    }
    await Promise.all(asking);
  }

  /** The chunk is whole: it is compared now or soon, or when its digest comes. */
  check(index: number): void {
    const { plan, file } = this.#owner;
    const { offset, length } = plan.rangeOf(index);
    if (plan.size >= THREAD_BYTES_MIN) {
      readback.ask(file, offset, length, (answer) => this.#computed(index, answer));
    } else {
      this.#computed(index, readBack(file, offset, length));
    }
  }

  /**
   * The same for `count` chunks from `index` on that may have to come from the disk: off the loop,
   * whatever their size.
   */
  async checkCold(index: number, count = 1): Promise<void> {
    const { plan, file } = this.#owner;
    const { offset } = plan.rangeOf(index);
    const last = plan.rangeOf(index + count - 1);
    const length = last.offset + last.length - offset;
    const answer = await readback.digests(file, offset, length, plan.chunkBytes);
    const digests = typeof answer === "number" ? [answer] : answer;
    for (const [nth, digest] of digests.entries()) this.#computed(index + nth, digest);
  }

  /** The server's digest of a chunk, once it has come. */
  expected(index: number): string | undefined {
    return this.#expected[index];
  }

  /**
   * Gives up what is not compared by now; resolves when nothing reads the file any more. A read
   * under way would keep the file's lock beyond its closing, and the next attempt would meet it.
   */
  async stop(): Promise<void> {
    await readback.forget(this.#owner.file);
  }

  // --- internal ---

  async #ask(from: number, to: number): Promise<void> {
    const { plan } = this.#owner;
    const offset = plan.rangeOf(from).offset;
    const last = plan.rangeOf(to);
    for (let index = from; index <= to; index++) this.#asked.add(index);
    try {
      const digests = await this.#owner.digests({
        offset: BigInt(offset),
        length: BigInt(last.offset + last.length - offset),
        chunk: BigInt(plan.chunkBytes),
      });
      for (const [nth, digest] of digests.entries()) this.#learn(from + nth, digest);
    } catch (error) {
      for (let index = from; index <= to; index++) this.#asked.delete(index);
      throw error;
    }
  }

  #learn(index: number, digest: string): void {
    this.#expected[index] = digest;
    const found = this.#found.get(index);
    if (found !== undefined) this.#compare(index, found);
  }

  #compare(index: number, found: string): void {
    const expected = this.#expected[index];
    if (expected === undefined) {
      this.#found.set(index, found);
      return;
    }
    this.#found.delete(index);
    this.#owner.compared(index, found === expected);
  }

  #computed(index: number, answer: string | number): void {
    if (typeof answer === "string") this.#compare(index, answer);
    else this.#owner.failed(localError(answer, "reading back what was written"));
  }
}
