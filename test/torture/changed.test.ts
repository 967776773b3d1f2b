/**
 * Files that change on the server while they are fetched, by several connections, from the start or
 * going on: replaced, edited in place, cut, appended to. What gets a final name was exactly what
 * the server had at some moment; else there is no file, and the status says so.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { refusedError } from "../../src/client/error.ts";
import type { Origin, RemoteFile } from "../../src/download/origin.ts";
import { Source } from "../../src/download/source.ts";
import type { Random } from "../fuzz/random.ts";
import { Apart } from "../rig/apart.ts";
import { exchange } from "../rig/exchange.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import {
  AGAIN,
  completes,
  type Ended,
  read,
  repeat,
  run,
  runs,
  stagingOf,
  start,
  timeFor,
} from "./rig.ts";

const MIB = 1024 * 1024;

/** Runs of the command; each meets some changes. */
const RUNS = runs(3);

/** An edit in place is made of such pieces: each leaves a state that somebody could read. */
const PIECE_BYTES = 64 * 1024;

const VERSIONS = 5;

/** Changes of one run. */
const CHANGES_MAX = 6;

/** What the server had: a version up to a size. */
interface State {
  readonly version: number;
  readonly size: number;
}

/** One file of the server, and all that it ever was. */
class Changing {
  readonly name: string;
  readonly path: string;
  readonly #most: number;
  readonly #versions: readonly Buffer[];
  #now: State = { version: 0, size: 0 };
  #states: State[] = [];
  #edits: { readonly from: State; readonly to: State }[] = [];

  /** `most` bytes, or down to half of it. */
  constructor(tree: Tree, name: string, file: number, most: number) {
    this.name = name;
    this.path = tree.path(name);
    this.#most = most;
    this.#versions = Array.from({ length: VERSIONS }, (_, nth) => content(file, nth, most));
  }

  /** Another file of that name; nothing it was before counts any more. */
  renew(random: Random): void {
    this.#states = [];
    this.#edits = [];
    this.#replace(this.#next(random));
  }

  change(random: Random): void {
    const next = this.#next(random);
    switch (random.below(5)) {
      case 0:
        return this.#replace(next);
      case 1:
        return this.#resize({ ...this.#now, size: Math.ceil(this.#now.size * 0.7) });
      case 2:
        return this.#append(Math.min(this.#most, this.#now.size + 1 + random.below(MIB)));
      case 3:
        return this.#edit({ ...next, size: this.#now.size });
      default:
        return this.#edit(next);
    }
  }

  /** What `bytes` are: a state that was, one in the middle of an edit, or null: a mix. */
  told(bytes: Buffer): "state" | "edit" | null {
    if (this.#states.some((state) => bytes.equals(this.#bytes(state)))) return "state";
    return this.#edits.some((edit) => this.#amid(bytes, edit.from, edit.to)) ? "edit" : null;
  }

  // --- internal ---

  #bytes({ version, size }: State): Buffer {
    return this.#versions[version]!.subarray(0, size);
  }

  #next(random: Random): State {
    const version = (this.#now.version + 1 + random.below(VERSIONS - 1)) % VERSIONS;
    return { version, size: this.#most - random.below(this.#most / 2) };
  }

  #be(state: State): void {
    this.#now = state;
    this.#states.push(state);
  }

  #replace(state: State): void {
    this.#be(state);
    fs.writeFileSync(`${this.path}.next`, this.#bytes(state));
    fs.renameSync(`${this.path}.next`, this.path);
  }

  #resize(state: State): void {
    this.#be(state);
    fs.truncateSync(this.path, state.size);
  }

  #append(size: number): void {
    const before = this.#now.size;
    this.#be({ ...this.#now, size });
    fs.appendFileSync(this.path, this.#bytes(this.#now).subarray(before));
  }

  #edit(to: State): void {
    this.#edits.push({ from: this.#now, to });
    this.#be(to);
    const bytes = this.#bytes(to);
    const fd = fs.openSync(this.path, "r+");
    for (let at = 0; at < to.size; at += PIECE_BYTES) {
      fs.writeSync(fd, bytes, at, Math.min(PIECE_BYTES, to.size - at), at);
    }
    fs.ftruncateSync(fd, to.size);
    fs.closeSync(fd);
  }

  /** Whole pieces of `to` and then what `from` had there. */
  #amid(bytes: Buffer, from: State, to: State): boolean {
    const [before, after] = [this.#bytes(from), this.#bytes(to)];
    for (let at = 0; at <= after.length; at += PIECE_BYTES) {
      const old = bytes.subarray(at).equals(before.subarray(Math.min(at, before.length)));
      if (old && bytes.subarray(0, at).equals(after.subarray(0, at))) return true;
    }
    const rest = before.subarray(after.length);
    return bytes.equals(Buffer.concat([after, rest]));
  }
}

/** What runs came to. */
class Score {
  changes = 0;
  readonly statuses = new Map<number | null, number>();
  readonly found = { state: 0, edit: 0, none: 0 };

  tell(): void {
    const { state, edit, none } = this.found;
    const statuses = [...this.statuses].map(([status, count]) => `${status}: ${count}`);
    console.log(
      `${this.changes} changes; status ${statuses.join(", ")}; files: ${state} as one version, ` +
        `${edit} as an edit left them in its middle, ${none} none, 0 mixed`,
    );
  }

  look(folder: string, files: readonly Changing[], ended: Ended): void {
    const { status, err, hung } = ended;
    expect(hung).toBe(false);
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (![0, 5, 6].includes(status ?? -1)) throw new Error(`status ${status}: ${err}`);
    for (const file of files) {
      const bytes = read(`${folder}/${file.name}`);
      if (bytes === null && status === 0) throw new Error(`${file.name} is missing`);
      const told = bytes === null ? "none" : file.told(bytes);
      if (told === null) throw new Error(`${file.name} is a mix of versions`);
      this.found[told] += 1;
    }
  }
}

async function torment(
  args: readonly string[],
  folder: string,
  files: readonly Changing[],
  random: Random,
  score: Score,
): Promise<void> {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const file of files) file.renew(random);
  if (random.below(2) === 0) {
    // What an earlier run left of another version is what this one goes on from.
    const { child, ended } = start(args);
    await Bun.sleep(60 + random.below(60));
    child.kill("SIGKILL");
    await ended;
    for (const file of files) fs.rmSync(`${folder}/${file.name}`, { force: true });
    random.pick(files).change(random);
  }
  const slow = random.below(2) === 0 ? ["--limit-rate", `${40 + random.below(60)}M`] : [];
  const { child, ended } = start([...args, ...slow]);
  await Bun.sleep(40 + random.below(60));
  for (let change = random.below(CHANGES_MAX); change >= 0; change--) {
    if (child.exitCode !== null) break;
    random.pick(files).change(random);
    score.changes += 1;
    await Bun.sleep(random.below(random.below(4) === 0 ? 100 : 25));
  }
  score.look(folder, files, await ended);
  for (const file of files) fs.rmSync(`${folder}/${file.name}`, { force: true });
  await completes(args, folder);
  for (const file of files) expect(file.told(read(`${folder}/${file.name}`)!)).not.toBeNull();
}

test(
  `a file that changes meanwhile is one version or not there (${RUNS} runs, ${AGAIN})`,
  async () => {
    using source = new Tree();
    using tree = new Tree();
    const files = [
      new Changing(source, "large", 1, 18 * MIB),
      new Changing(source, "small", 2, 3 * MIB),
    ];
    await using server = await Apart.start(source.root);
    const folder = tree.path("to");
    const urls = files.map(({ name }) => `s6://127.0.0.1:${server.port}/${name}`);
    const score = new Score();
    await repeat(RUNS, (random) =>
      torment(["get", "-x", "4", "-P", folder, ...urls], folder, files, random, score),
    );
    score.tell();
  },
  timeFor(RUNS, 4000),
);

test("a server that still believes in the old file is waited for", async () => {
  const size = 9 * MIB;
  using source = new Tree({ f: content(1, 1, size), next: content(1, 2, size) });
  using tree = new Tree();
  await using server = await Apart.start(source.root);
  // All of the old file is here from an earlier run: digests are the first that is asked for.
  fs.mkdirSync(stagingOf(tree.root), { mode: 0o700 });
  fs.writeFileSync(`${stagingOf(tree.root)}/f`, content(1, 1, size));
  expect((await exchange(server.port, ["READ length=1 /f"]))[0]?.line).toStartWith("OK 1 ");
  fs.renameSync(source.path("next"), source.path("f"));
  const { status, err } = await run(["get", "-P", tree.root, `s6://127.0.0.1:${server.port}/f`]);
  expect(err).not.toContain("cli6:");
  expect(status).toBe(0);
  expect(read(tree.path("f"))?.equals(content(1, 2, size))).toBe(true);
});

test("digests of what lies behind the end of a file that was cut tell that it has changed", async () => {
  const ask = () => Promise.reject(refusedError("ERANGE", "offset past the end"));
  const origin = { control: { ask }, options: { retries: 0 }, verifies: true } as unknown as Origin;
  const file = { path: "/f", entry: { etag: "0123456789abcdef" } } as RemoteFile;
  const source = new Source({ origin, file });
  const failed = await source.hash({ offset: 8n }).catch((error: unknown) => error);
  expect(failed).toMatchObject({ kind: "changed", code: "ESTALE" });
});
