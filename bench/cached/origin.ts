/**
 * `bun bench/cached/origin.ts`: an object store for bench/cached.ts, as fast as this runtime can be
 * one. A key ends in its object's size, and one that begins with "at" and a number comes at so many
 * MB/s at most; what it is asked for is counted under /count. Names its port as our server does.
 */
const MIB = 1024 ** 2;
const SIZE_MAX = 128 * MIB;
const PIECE = 262_144;

const bytes = Buffer.alloc(SIZE_MAX);
for (let at = 0; at < SIZE_MAX; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
let reads = 0;

/** At `rate` MB/s at most: a line, and not this machine, is what is waited for. */
function paced(all: Uint8Array, rate: number): ReadableStream<Uint8Array> {
  const began = performance.now();
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      const due = began + sent / (1000 * rate);
      if (due > performance.now()) await Bun.sleep(due - performance.now());
      controller.enqueue(all.subarray(sent, sent + PIECE));
      sent += PIECE;
      if (sent >= all.length) controller.close();
    },
  });
}

const server = Bun.serve({
  ...{ port: 0, hostname: "127.0.0.1" },
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/count") return new Response(String(reads));
    const size = Number(/([0-9]+)$/.exec(pathname)?.[1] ?? 0);
    const tag = { etag: `"${size}"`, "last-modified": new Date(0).toUTCString() };
    if (request.method === "HEAD") {
      return new Response(null, { headers: { ...tag, "content-length": String(size) } });
    }
    reads += 1;
    const [, first, last] =
      /^bytes=([0-9]+)-([0-9]+)$/.exec(request.headers.get("range") ?? "") ?? [];
    if (first === undefined) return new Response(bytes.subarray(0, size), { headers: tag });
    const range = { "content-range": `bytes ${first}-${last}/${size}` };
    const whole = bytes.subarray(Number(first), Number(last) + 1);
    const rate = Number(/\/at([0-9]+)-/.exec(pathname)?.[1] ?? 0);
    const part = rate > 0 ? paced(whole, rate) : whole;
    return new Response(part, { status: 206, headers: { ...tag, ...range } });
  },
});
console.error(`s6://127.0.0.1:${server.port}/`);
