/**
 * `bun bench/wide/pages.ts PORT list|json|html NAMES`: one connection goes through the root of a
 * server page by page, and counts what it got. A process of its own, so that it holds up no
 * measurement. Ends with 1 when that were not NAMES names.
 */

/** How one dialect is asked for a page, and what its reply says. */
interface Paging {
  /** The request for the first page (null), or for the one that `next` leads to. */
  request(next: string | null): string;
  /** The number of names on a page, and where the next one is; null: this was the last one. */
  read(head: string, body: string): { count: number; next: string | null };
  /** Bytes of the body. */
  readonly length: RegExp;
  readonly headEnd: string;
}

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const HTTP = { length: /\r\nContent-Length: (\d+)\r\n/, headEnd: "\r\n\r\n" };

const PAGINGS: Readonly<Record<string, Paging>> = {
  list: {
    request: (next) => `LIST ${next === null ? "" : `after=${next} `}/\n`,
    read(head, body) {
      const last = body.slice(body.lastIndexOf("\n", body.length - 2) + 1, -1);
      const more = head.includes(" more=1");
      const [, count] = / count=(\d+)/.exec(head) ?? [];
      return { count: Number(count), next: more ? last.slice(last.lastIndexOf(" ") + 1) : null };
    },
    length: /^OK (\d+) /,
    headEnd: "\n",
  },
  json: {
    ...HTTP,
    request: (next) => get(`/${next ?? "?json"}`),
    read(head, body) {
      const [, next = null] = /\r\nLink: <([^>]*)>; rel="next"/.exec(head) ?? [];
      return { count: (JSON.parse(body) as unknown[]).length, next };
    },
  },
  html: {
    ...HTTP,
    request: (next) => get(`/${next ?? ""}`),
    read(_head, body) {
      const [, next = null] = /<a href="(\?after=[^"]*)" rel=next>/.exec(body) ?? [];
      return {
        count: body.split('<th scope=row><a href="file-').length - 1,
        next: next?.replaceAll("&amp;", "&") ?? null,
      };
    },
  },
};

const [port = "0", kind = "", names = "0"] = process.argv.slice(2);
const paging = PAGINGS[kind];
if (paging === undefined) throw new Error(`no way to page: ${kind}`);
const done = Promise.withResolvers<number>();
let text = "";
let total = 0;
const socket = await Bun.connect({
  ...{ hostname: "127.0.0.1", port: Number(port) },
  socket: {
    data(self, chunk) {
      text += chunk.toString("latin1");
      const end = text.indexOf(paging.headEnd);
      if (end < 0) return;
      const head = text.slice(0, end + paging.headEnd.length);
      const [, length] = paging.length.exec(head) ?? [];
      if (length === undefined) return done.reject(new Error(head));
      if (text.length < head.length + Number(length)) return;
      const { count, next } = paging.read(head, text.slice(head.length));
      text = "";
      total += count;
      if (next === null) done.resolve(total);
      else self.write(paging.request(next));
    },
    close: () => done.reject(new Error("closed before its end")),
  },
});
socket.write(paging.request(null));
const count = await done.promise;
socket.terminate();
if (count !== Number(names)) {
  console.error(`${count} names by ${kind} instead of ${names}`);
  process.exit(1);
}
