/** Pages of other origins: what a browser looks for in each reply, and nothing of it by default. */
import { expect, test } from "bun:test";
import { serve } from "../../../src/server/start.ts";
import { Tree } from "../../rig/tree.ts";

const ORIGIN = "https://a.example";
const SENT = { Origin: ORIGIN };

/** A server of a file and a folder. */
async function served(cors: string | null, use: (url: string) => Promise<void>): Promise<void> {
  using tree = new Tree({ small: "small", large: Buffer.alloc(300_000), "d/f": "1" });
  const more = cors === null ? {} : { cors };
  const server = serve({ root: tree.root, hosts: ["127.0.0.1"], port: 0, ...more });
  try {
    await use(`http://127.0.0.1:${server.addresses[0]!.port}`);
  } finally {
    await server.stop();
  }
}

test.each([ORIGIN, "*"])("with %s each reply says so, whole as without", async (cors) => {
  await served(cors, async (url) => {
    // Twice: what is asked for again comes out of memory.
    for (const path of ["/small", "/small", "/large", "/large", "/d/", "/none"]) {
      for (const method of ["GET", "HEAD"]) {
        const reply = await fetch(url + path, { method, headers: SENT });
        const { length } = await reply.bytes();
        expect([path, reply.headers.get("access-control-allow-origin")]).toEqual([path, cors]);
        expect(reply.headers.get("vary")).toContain("Origin");
        expect(reply.headers.get("access-control-expose-headers")).toContain("Content-Range");
        if (path === "/large") expect(length).toBe(method === "GET" ? 300_000 : 0);
      }
    }
    const part = await fetch(`${url}/small`, { headers: { ...SENT, Range: "bytes=1-2" } });
    expect([part.status, await part.text()]).toEqual([206, "ma"]);
    expect(part.headers.get("access-control-allow-origin")).toBe(cors);
  });
});

test("a preflight is answered, and the connection goes on", async () => {
  await served(ORIGIN, async (url) => {
    const reply = await fetch(`${url}/none`, { method: "OPTIONS", headers: SENT });
    expect(reply.status).toBe(204);
    expect(reply.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(reply.headers.get("access-control-allow-methods")).toBe("GET, HEAD");
    expect(reply.headers.get("access-control-allow-headers")).toContain("Range");
    expect(await (await fetch(`${url}/small`)).text()).toBe("small");
  });
});

test("without it there is nothing of that, and no preflight", async () => {
  await served(null, async (url) => {
    const reply = await fetch(`${url}/small`, { headers: SENT });
    expect(await reply.text()).toBe("small");
    expect(reply.headers.get("access-control-allow-origin")).toBeNull();
    expect((await fetch(`${url}/small`, { method: "OPTIONS", headers: SENT })).status).toBe(405);
  });
});

test.each(["a.example", "https://a.example/", "https://a.example:443", "null", "", "x\r\ny"])(
  "%j is no origin",
  (cors) => {
    using tree = new Tree({ f: "1" });
    expect(() => serve({ root: tree.root, port: 0, cors })).toThrow(/^cors: .* is no origin as/);
  },
);

test("what is for who runs the server is for no page elsewhere", async () => {
  await served("*", async (url) => {
    for (const path of ["/-/stats", "/-/metrics", "/-/"]) {
      const reply = await fetch(url + path);
      expect([path, reply.status]).toEqual([path, 200]);
      expect([...reply.headers.keys()].filter((name) => name.startsWith("access-"))).toEqual([]);
    }
  });
});
