/**
 * A download or a mirror under way, as its caller has it: a promise of the result, and the numbers
 * in between, which are looked at and call nobody.
 */
import type { Run } from "./run.ts";
import type { Progress } from "./progress.ts";

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
  /** Received by this run, and in place: from an earlier run, and from the files replaced. */
  readonly received: number;
  readonly kept: number;
  readonly reused: number;
  /** Compared, and in place altogether. */
  readonly verified: number;
  readonly arrived: number;
  /** Milliseconds since the call. */
  readonly elapsedMs: number;
}

/** Milliseconds between two snapshots when nothing else is said. */
const SNAPSHOT_MS = 1000;

/** What download() and mirror() return: a promise of the result, with the numbers in between. */
export class Operation<Result> extends Promise<Result> {
  /** then() and the like give plain promises: what they wait for is no operation. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** The live numbers: they change while it runs, and reading them costs nothing. */
  readonly progress: Readonly<Progress>;
  readonly #began: number;

  /** Does `work` of `run`, from the next turn on: nothing is told before the caller has this. */
  constructor(run: Run, work: () => Promise<void>, result: (last: Snapshot) => Result) {
    const began = performance.now();
    const done = Promise.resolve()
      .then(() => run.all(work))
      .then(() => result(snapshotOf(run.tally, began)));
    super((resolve) => resolve(done));
    this.progress = run.tally;
    this.#began = began;
  }

  /**
   * The numbers now, and again every so many milliseconds, and a last time at the end; throws what
   * the operation rejects with. Leaving the loop early ends nothing but the loop.
   */
  async *snapshots(everyMs: number = SNAPSHOT_MS): AsyncGenerator<Snapshot, void, undefined> {
    let over = false;
    const ended = this.then(
      () => (over = true),
      () => (over = true),
    );
    while (!over) {
      yield snapshotOf(this.progress, this.#began);
      const { promise: due, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, everyMs);
      await Promise.race([ended, due]);
      clearTimeout(timer);
    }
    yield snapshotOf(this.progress, this.#began);
    await this;
  }
}

// --- internal ---

function snapshotOf(tally: Readonly<Progress>, began: number): Snapshot {
  const { files, bytes, totalKnown, done, failed, unchanged } = tally;
  const { received, kept, reused, verified, arrived } = tally;
  const elapsedMs = performance.now() - began;
  return {
    ...{ files, bytes, totalKnown, done, failed, unchanged },
    ...{ received, kept, reused, verified, arrived, elapsedMs },
  };
}
