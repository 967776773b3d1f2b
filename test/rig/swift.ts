/**
 * A real object store for tests: OpenStack Swift with its S3 door, three nodes and three copies, on
 * loopback (swift-cluster). It is not installed by a test.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { S3Options } from "../../src/store/s3/address.ts";
import { type Need, works } from "./needs.ts";
import { TREE_PREFIX } from "./tree.ts";

const SCRIPT = `${import.meta.dir}/swift-cluster`;

/** What it is made of. */
export const SWIFT: Need = {
  here:
    works("/usr/bin/python3", "-c", "import swift.proxy.server") &&
    fs.existsSync("/usr/bin/memcached"),
  what: "OpenStack Swift (apt-get install python3-swift memcached; test/rig/swift-cluster)",
};

/** Puts on their way at once: each is written and synced three times. */
const PUTS_MAX = 8;

/** A cluster that is up (`await using` ends it and removes its data). */
export class Swift {
  readonly bucket: string;
  readonly options: S3Options;
  readonly client: Bun.S3Client;
  readonly #folder: string;

  private constructor(folder: string, exports: string) {
    this.#folder = folder;
    const value = (name: string): string =>
      new RegExp(`^export S3_${name}=(.*)$`, "m").exec(exports)?.[1] ?? "";
    this.bucket = value("BUCKET");
    this.options = {
      endpoint: value("ENDPOINT"),
      region: value("REGION"),
      accessKeyId: value("ACCESS_KEY_ID"),
      secretAccessKey: value("SECRET_ACCESS_KEY"),
    };
    this.client = new Bun.S3Client({ ...this.options, bucket: this.bucket });
  }

  /** Starts one: 2 to 10 s. */
  static async up(): Promise<Swift> {
    const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), `${TREE_PREFIX}swift-`));
    return new Swift(folder, await script("up", folder));
  }

  /** Starts what was stopped or has died. */
  async revive(): Promise<void> {
    await script("up", this.#folder);
  }

  /** SIGKILL for some of "object1", "node3", "proxy", ... */
  async stop(...names: string[]): Promise<void> {
    await script("stop", this.#folder, ...names);
  }

  /** The pid of one of them. */
  async pidOf(name: string): Promise<number> {
    const pids = await script("pids", this.#folder);
    return Number(new RegExp(`^${name} ([0-9]+)$`, "m").exec(pids)?.[1]);
  }

  /** Makes what is at `keys` of `files`, and removes the others. */
  async put(
    files: ReadonlyMap<string, Uint8Array>,
    removed: readonly string[] = [],
  ): Promise<void> {
    const work = [...files].map(
      ([key, bytes]) =>
        () =>
          this.#put(key, bytes),
    );
    const worker = async (): Promise<void> => {
      for (let next = work.pop(); next !== undefined; next = work.pop()) await next();
    };
    await Promise.all(Array.from({ length: PUTS_MAX }, worker));
    for (const key of removed) await this.client.delete(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await script("down", this.#folder);
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  // --- internal ---

  /** By a signed address, because the client drops the slash of a folder's mark. */
  async #put(key: string, bytes: Uint8Array): Promise<void> {
    if (!key.endsWith("/")) await this.client.write(key, bytes);
    else await this.client.write(`${key}.mark`, bytes);
  }
}

// --- internal ---

async function script(...args: string[]): Promise<string> {
  const child = Bun.spawn([SCRIPT, ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`swift-cluster ${args[0]}: ${err}`);
  return out;
}
