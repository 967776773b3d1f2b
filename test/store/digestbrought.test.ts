/** Digests of files that have no descriptor: their bytes are brought, for as long as that takes. */
import { expect, test } from "bun:test";
import { Digester } from "../../src/store/digester.ts";
import type { ByteStream, Source } from "../../src/store/store.ts";
import { tick } from "../../src/sys/clock.ts";
import { clockSays, eventually } from "../rig/faults.ts";
import { askerOf, EIO, fileOf, MIB, rangeOf, startDigester } from "../rig/digesting.ts";

/** A source of zeros whose streams flow when the test says so. */
class Held implements Source {
  readonly #streams: { flow(): void }[] = [];

  /** Streams that have not ended. */
  get waiting(): number {
    return this.#streams.length;
  }

  stream(_at: bigint, length: number, _peer: string, awake: () => void): ByteStream {
    let ready: Uint8Array | null = null;
    this.#streams.push({
      flow() {
        ready = new Uint8Array(length);
        awake();
      },
    });
    return {
      get ready() {
        return ready;
      },
      state: "flowing",
      want() {},
      take: () => void (ready = null),
      close() {},
    };
  }

  /** Lets the oldest stream have all its bytes. */
  flow(): void {
    this.#streams.shift()!.flow();
  }
}

/** A file whose bytes come from `source`. */
function fileFrom(source: Source): ReturnType<typeof fileOf> {
  const file = fileOf();
  Object.assign(file, { source });
  return file;
}

const PIECES = rangeOf({ length: 8 * MIB, chunk: 8 * MIB, algo: "sha256" });

test("bytes that take longer to come than the thread may be idle have the right digest", async () => {
  let now = 1000;
  using _ = clockSays(() => now);
  const digester = new Digester();
  const source = new Held();
  const [asker, other] = [askerOf(), askerOf()];
  digester.digests(fileFrom(source), PIECES, asker);
  source.flow();
  expect(source.waiting).toBe(1);
  // Answers come in order: behind this one the thread has nothing to do.
  const many = rangeOf({ length: 100, chunk: 1 });
  digester.digests(fileOf({ etag: "v2", body: new Uint8Array(5_001_100) }), many, other);
  await eventually("the thread has had the first piece", () => other.heard.length === 1);
  now += 60_000;
  tick();
  digester.sweep();
  source.flow();
  await eventually("the digest is there", () => asker.heard.length === 1);
  const whole = new Bun.CryptoHasher("sha256").update(new Uint8Array(8 * MIB)).digest("hex");
  expect(asker.heard).toEqual([`${whole}\n`]);
  now += 60_000;
  tick();
  digester.sweep();
  expect(digester.thread).toBeNull();
});

test("a chunk whose last piece is on its way is lost with the thread, and dropped with the job", () => {
  using it = startDigester();
  const source = new Held();
  const [lost, dropped] = [askerOf(), askerOf()];
  const file = fileFrom(source);
  it.digester.digests(file, PIECES, lost);
  source.flow();
  it.thread.answer("");
  it.thread.crash();
  expect([lost.heard, it.digester.jobs, file.users]).toEqual([[EIO], 0, 0]);
  source.flow();
  it.digester.digests(file, PIECES, dropped);
  source.flow();
  it.thread.answer("");
  dropped.gone = true;
  it.digester.sweep();
  expect([it.thread.dropped, it.digester.jobs, file.users]).toEqual([[2], 0, 0]);
});
