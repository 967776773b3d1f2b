/**
 * An object store in the test's own process, over a tree of files: what a tree has below a bucket's
 * folder are its objects, an empty folder is the mark that consoles make. It misbehaves where its
 * test says so. Its signatures are not checked; the replies are written here, not taken from src.
 */
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { S3Options } from "../../src/store/s3/address.ts";

/** A request as it came. */
export interface S3Asked {
  readonly method: string;
  /** Decoded; "" for what is asked of the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly range: string | undefined;
  readonly ifMatch: string | undefined;
}

/** Answers a request its own way: true when it has. */
export type S3Misbehave = (asked: S3Asked, reply: http.ServerResponse) => boolean;

/** An object. */
interface Stored {
  readonly key: string;
  readonly bytes: Buffer;
  readonly ms: number;
}

/** The store (`await using` closes it). */
export class S3Fake {
  readonly bucket = "bucket";
  readonly asked: S3Asked[] = [];
  misbehave: S3Misbehave = () => false;
  /** Objects that no file system could have, by key. */
  readonly odd = new Map<string, string>();
  readonly #server: http.Server;
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
    this.#server = http.createServer((request, reply) => this.#answer(request, reply));
  }

  /** Serves the files below the folder `root`, as they are when they are asked for. */
  static async over(root: string): Promise<S3Fake> {
    const fake = new S3Fake(root);
    await new Promise<void>((done) => fake.#server.listen(0, "127.0.0.1", done));
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get options(): S3Options {
    const endpoint = `http://127.0.0.1:${this.port}`;
    return { endpoint, accessKeyId: "key", secretAccessKey: "secret" };
  }

  /** Requests for contents. */
  get reads(): S3Asked[] {
    return this.asked.filter(({ method, key }) => method === "GET" && key !== "");
  }

  /** Waits for nobody. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await Promise.resolve();
  }

  // --- internal ---

  #answer(request: http.IncomingMessage, reply: http.ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://store");
    const [, bucket = "", ...rest] = url.pathname.split("/");
    const asked: S3Asked = {
      method: request.method ?? "",
      key: rest.map(decodeURIComponent).join("/"),
      query: url.searchParams,
      range: request.headers.range,
      ifMatch: request.headers["if-match"],
    };
    this.asked.push(asked);
    if (this.misbehave(asked, reply)) return;
    if (bucket !== this.bucket) fail(reply, 404, "NoSuchBucket");
    else this.answer(asked, reply);
  }

  /** Answers as it should: for a test that has kept a request waiting. */
  answer(asked: S3Asked, reply: http.ServerResponse): void {
    if (asked.key === "") this.#list(asked.query, reply);
    else this.#object(asked, reply);
  }

  #object({ method, key, range, ifMatch }: S3Asked, reply: http.ServerResponse): void {
    const stored = this.#get(key);
    if (stored === null) return fail(reply, 404, "NoSuchKey");
    const { bytes, ms } = stored;
    const tag = tagOf(bytes);
    if (ifMatch !== undefined && ifMatch !== tag) return fail(reply, 412, "PreconditionFailed");
    reply.setHeader("ETag", tag);
    reply.setHeader("Last-Modified", new Date(ms).toUTCString());
    const [, first, last] = /^bytes=([0-9]+)-([0-9]+)$/.exec(range ?? "") ?? [];
    if (first !== undefined && Number(first) >= bytes.length) {
      return fail(reply, 416, "InvalidRange");
    }
    const from = Number(first ?? 0);
    const end = Math.min(bytes.length, Number(last ?? bytes.length - 1) + 1);
    if (first !== undefined) {
      reply.setHeader("Content-Range", `bytes ${from}-${end - 1}/${bytes.length}`);
    }
    reply.setHeader("Content-Length", end - from);
    reply.writeHead(first === undefined ? 200 : 206);
    if (method === "HEAD") reply.end();
    else reply.end(bytes.subarray(from, end));
  }

  #get(key: string): Stored | null {
    const odd = this.odd.get(key);
    if (odd !== undefined) return { key, bytes: Buffer.from(odd), ms: 0 };
    const path = `${this.#root}/${key}`;
    try {
      return { key, bytes: fs.readFileSync(path), ms: fs.statSync(path).mtimeMs };
    } catch {
      return null;
    }
  }

  #list(query: URLSearchParams, reply: http.ServerResponse): void {
    const prefix = query.get("prefix") ?? "";
    const delimiter = query.get("delimiter") ?? "";
    const after = query.get("continuation-token") ?? query.get("start-after") ?? "";
    const most = Number(query.get("max-keys") ?? 1000);
    const xml: string[] = [];
    let last = "";
    let truncated = false;
    for (const key of this.#all(prefix)) {
      const slash = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
      const item = slash < 0 ? key : key.slice(0, slash + 1);
      if (!isAfter(slash < 0 ? item : `${item}\u{10ffff}`, after) || item === last) continue;
      if (xml.length === most) {
        truncated = true;
        break;
      }
      last = item;
      const shown = encodeURIComponent(item).replaceAll("%2F", "/");
      const stored = this.#get(key) ?? { key, bytes: Buffer.alloc(0), ms: 0 };
      xml.push(slash < 0 ? contents(shown, stored) : folder(shown));
    }
    const next = `<NextContinuationToken>${escape(last)}\u{10ffff}</NextContinuationToken>`;
    reply.writeHead(200, { "Content-Type": "application/xml" });
    reply.end(
      `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>${truncated}` +
        `</IsTruncated>${truncated ? next : ""}${xml.join("")}</ListBucketResult>`,
    );
  }

  /** In the order of their keys' bytes. */
  #all(prefix: string): string[] {
    return [...this.odd.keys(), ...walk(this.#root, "")]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => (a === b ? 0 : isAfter(a, b) ? 1 : -1));
  }
}

// --- internal ---

function walk(root: string, below: string): string[] {
  const entries = fs.readdirSync(`${root}/${below}`, { withFileTypes: true });
  if (entries.length === 0 && below !== "") return [below];
  return entries.flatMap((entry) =>
    entry.isDirectory() ? walk(root, `${below}${entry.name}/`) : [below + entry.name],
  );
}

function isAfter(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0;
}

/** As an object store makes them; xxh3 in place of MD5, which takes 15 ms of 8 MB. */
function tagOf(bytes: Buffer): string {
  return `"${Bun.hash.xxHash3(bytes).toString(16)}"`;
}

function contents(shown: string, { bytes, ms }: Stored): string {
  const time = new Date(ms).toISOString();
  const tag = tagOf(bytes).replaceAll('"', "&quot;");
  return (
    `<Contents><Key>${shown}</Key><LastModified>${time}</LastModified><ETag>${tag}</ETag>` +
    `<Size>${bytes.length}</Size></Contents>`
  );
}

function folder(shown: string): string {
  return `<CommonPrefixes><Prefix>${shown}</Prefix></CommonPrefixes>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function fail(reply: http.ServerResponse, status: number, code: string): void {
  reply.writeHead(status, { "Content-Type": "application/xml" });
  reply.end(`<Error><Code>${code}</Code><Message>it is so</Message></Error>`);
}
