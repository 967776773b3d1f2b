/**
 * A download or a mirror under way, as its caller has it: a promise of the result, and the numbers
 * in between, which are looked at and call nobody.
 */
import type { Run } from "./run.ts";
import type { Tally } from "./progress.ts";

/** The numbers at one moment. Bytes, unless they say otherwise. */
export interface Snapshot {
  /** Files to bring, as far as known, and their bytes; `totalKnown`: no more will turn up. */
  readonly files: number;
  readonly bytes: number;
  readonly totalKnown: boolean;
  /** Files that are published, that have failed, and that were here already. */
  readonly done: number;
  readonly failed: number;
  readonly unchanged: number;
  /** Received by this run, in place from an earlier one, compared, and in place altogether. */
  readonly received: number;
  readonly kept: number;
  readonly verified: number;
  readonly arrived: number;
  /** Milliseconds since the call. */
  readonly elapsedMs: number;
}

/** Milliseconds between two snapshots when nothing else is said. */
const SNAPSHOT_MS = 1000;

/** What download() and mirror() return. Awaited like any promise. */
export class Operation<Result> implements Promise<Result> {
  readonly [Symbol.toStringTag] = "Operation";
  /** The live numbers: they change while it runs, and reading them costs nothing. */
  readonly progress: Readonly<Tally>;
  readonly #done: Promise<Result>;
  readonly #began = performance.now();

  /** Does `work` of `run`, from the next turn on: nothing is told before the caller has this. */
  constructor(run: Run, work: () => Promise<void>, result: (last: Snapshot) => Result) {
    this.progress = run.tally;
    this.#done = Promise.resolve()
      .then(() => run.all(work))
      .then(() => result(this.#snapshot()));
  }

  then<A = Result, B = never>(
    done?: ((result: Result) => A | PromiseLike<A>) | null,
    failed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#done.then(done, failed);
  }

  catch<B = never>(failed?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<Result | B> {
    return this.#done.catch(failed);
  }

  finally(last?: (() => void) | null): Promise<Result> {
    return this.#done.finally(last);
  }

  /**
   * The numbers now, and again every so many milliseconds, and a last time at the end; throws what
   * the operation rejects with. Leaving the loop early ends nothing but the loop.
   */
  async *snapshots(everyMs: number = SNAPSHOT_MS): AsyncGenerator<Snapshot, void, undefined> {
    let over = false;
    const ended = this.#done.then(
      () => (over = true),
      () => (over = true),
    );
    while (!over) {
      yield this.#snapshot();
      const { promise: due, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, everyMs);
      await Promise.race([ended, due]);
      clearTimeout(timer);
    }
    yield this.#snapshot();
    await this.#done;
  }

  // --- internal ---

  #snapshot(): Snapshot {
    const { files, bytes, totalKnown, done, failed, unchanged } = this.progress;
    const { received, kept, verified, arrived } = this.progress;
    const elapsedMs = performance.now() - this.#began;
    return {
      ...{ files, bytes, totalKnown, done, failed, unchanged },
      ...{ received, kept, verified, arrived, elapsedMs },
    };
  }
}
