/** A server over an object store in the test's own process, on a free port (`await using`). */
import { Log } from "../../src/observe/log.ts";
import { Server } from "../../src/server/serve.ts";
import { s3AddressOf } from "../../src/store/s3/address.ts";
import { Bucket } from "../../src/store/s3/bucket.ts";
import { BlockCache } from "../../src/store/blocks/blockcache.ts";
import { openFolder } from "../../src/store/blocks/folder.ts";
import { DiskThread, type MakeDisk } from "../../src/store/blocks/thread.ts";
import { S3Store } from "../../src/store/s3/store.ts";
import { Peer } from "./peer.ts";
import { TEST_LIMITS } from "./running.ts";
import { S3Fake } from "./s3fake.ts";
import { Tree } from "./tree.ts";

/** Long enough for a store on loopback, short enough to wait for. */
const QUESTION_MS = 2000;

export const CACHE_BYTES = 67_108_864;

/** What a test may change. */
export interface S3RunningOptions {
  readonly prefix?: string;
  readonly questionMs?: number;
  readonly flowsMax?: number;
  /** Has a cache of blocks in this folder. */
  readonly cache?: string;
}

/** The server, the store behind it, and what that has. */
export class S3Running {
  readonly server: Server;
  readonly port: number;

  readonly tree: Tree;
  readonly fake: S3Fake;
  readonly store: S3Store;

  private constructor(tree: Tree, fake: S3Fake, store: S3Store) {
    this.tree = tree;
    this.fake = fake;
    this.store = store;
    this.server = new Server({
      ...{ store, limits: TEST_LIMITS, log: new Log("off"), zeroCopy: true, http: true },
      ...{ credentials: null, plaintext: false, tokens: null, linkKey: null, rates: null },
      ...{ adminAddress: null, networks: null, proxies: null, insecureAuth: false },
      addresses: [{ host: "127.0.0.1", port: 0 }],
    });
    this.port = this.server.addresses[0]?.port ?? 0;
  }

  /** Serves `files` of a bucket. */
  static async over(
    files: Record<string, string | Uint8Array>,
    { prefix = "", questionMs = QUESTION_MS, flowsMax, cache }: S3RunningOptions = {},
  ): Promise<S3Running> {
    const tree = new Tree(files);
    const fake = await S3Fake.over(tree.root);
    const address = s3AddressOf(`s3://${fake.bucket}/${prefix}`);
    const bucket = new Bucket(address, fake.options);
    const blocks = cache === undefined ? null : { cache: cacheIn(cache), endpoint: fake.bucket };
    const policy = { hidden: false };
    const store = new S3Store(address, bucket, policy, questionMs, flowsMax, blocks);
    return new S3Running(tree, fake, store);
  }

  /** A new raw connection. */
  dial(): Promise<Peer> {
    return Peer.dial(this.port);
  }

  /** Sends `request`, then FIN: all that comes back. */
  async ask(request: string): Promise<{ text: string; bytes: Buffer; ending: string }> {
    using peer = await this.dial();
    peer.send(request);
    peer.finish();
    const { bytes, ending } = await peer.all();
    return { text: bytes.toString("latin1"), bytes, ending };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop(0);
    this.fake.close();
    this.tree[Symbol.dispose]();
  }
}

/** A cache of CACHE_BYTES in `folder`, with a thread of its own. */
export function cacheIn(folder: string): BlockCache {
  const make: MakeDisk = (...args) => new DiskThread(...args);
  return new BlockCache(openFolder(folder, CACHE_BYTES), CACHE_BYTES, make, () => {});
}
