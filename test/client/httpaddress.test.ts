/** http:// URLs and where redirects lead: which server, which bytes are asked for, what is refused. */
import { expect, test } from "bun:test";
import {
  authorityOf,
  serverKey,
  parseTarget,
  SERVER_DEFAULT,
  urlOf,
} from "../../src/client/address.ts";
import {
  hostField,
  httpNameOf,
  parseLocation,
  requestTarget,
} from "../../src/client/httpaddress.ts";
import { thrownBy } from "./failure.ts";

test.each([
  ["http://nas/a", "nas:80", "nas", "/a", "a"],
  ["HTTP://nas:8080", "nas:8080", "nas:8080", "/", ""],
  ["http://nas?x=1", "nas:80", "nas", "/?x=1", ""],
  ["http://[::1]/a/b%20c", "[::1]:80", "[::1]", "/a/b%20c", "b c"],
  ["http://[::1]:81/a", "[::1]:81", "[::1]:81", "/a", "a"],
  [
    "http://127.0.0.1:6464/%2e%2E/a%2fb",
    "127.0.0.1:6464",
    "127.0.0.1:6464",
    "/%2e%2E/a%2fb",
    "a/b",
  ],
  ["http://nas/a b?c d#e", "nas:80", "nas", "/a%20b?c%20d", "a b"],
  ["http://nas/\xc3\xa9{}[*]", "nas:80", "nas", "/%C3%A9%7B%7D[*]", "\xc3\xa9{}[*]"],
  ["http://nas/a\r\nX: y", "nas:80", "nas", "/a%0D%0AX:%20y", "a\r\nX: y"],
  ["http://nas/a?b?c%zz", "nas:80", "nas", "/a?b?c%zz", "a"],
  ["https://nas/a", "nas:443", "nas", "/a", "a"],
  ["HTTPS://nas:80/a", "nas:80", "nas:80", "/a", "a"],
  ["http://nas:443/a", "nas:443", "nas:443", "/a", "a"],
])("%j is asked for at %s", (url, authority, host, target, name) => {
  const { server, path } = parseTarget(url, SERVER_DEFAULT);
  expect(authorityOf(server)).toBe(authority);
  expect(hostField(server)).toBe(host);
  expect(requestTarget(server, path)).toBe(target);
  expect(httpNameOf(path)).toBe(name);
});

test.each([
  ["http://", "host is missing"],
  ["http:///a", "host is missing"],
  ["http://nas:0/", "a port is a number"],
  ["http://nas:x/", "a port is a number"],
  ["http://na s/", "not a host name"],
  ["http://nas/%z", "%25"],
  ["http://me:hush@nas/", "leave them out"],
  ["http://na%20s/?hush", "not a host name"],
])("%j is refused, and no secret of it is shown", (url, said) => {
  const { message } = thrownBy(() => parseTarget(url, SERVER_DEFAULT));
  expect(message).toContain(said);
  expect(message).not.toContain("hush");
});

test("servers differ by scheme and query, and a query is never shown", () => {
  const urls = ["http://nas:1/a?hush", "http://nas:1/a", "s6://nas:1/a", "http://nas:2/a"];
  const parsed = [...urls, "https://nas:1/a", "s6s://nas:1/a"].map((url) =>
    parseTarget(url, SERVER_DEFAULT),
  );
  expect(new Set(parsed.map(({ server }) => serverKey(server))).size).toBe(6);
  expect(parsed.map(({ server, path }) => urlOf(server, path))).toEqual([
    "http://nas:1/a",
    "http://nas:1/a",
    "s6://nas:1/a",
    "http://nas:2/a",
    "https://nas:1/a",
    "s6s://nas:1/a",
  ]);
});

test.each([
  ["b", "nas:80", "/d/b"],
  ["/b?c=d", "nas:80", "/b?c=d"],
  ["?c", "nas:80", "/d/a?c"],
  ["//other:81/x", "other:81", "/x"],
  ["http://[::1]/../x", "[::1]:80", "/x"],
  ["\xe9", "nas:80", "/d/%C3%A9"],
])("Location %j leads to %s%s", (location, authority, target) => {
  const { server } = parseTarget("http://nas/d/a?hush", SERVER_DEFAULT);
  const place = parseLocation(location, server, "/d/a");
  if (typeof place === "string") throw new Error(place);
  expect([authorityOf(place.server), requestTarget(place.server, place.path)]).toEqual([
    authority,
    target,
  ]);
});

test.each([
  "https://nas/a",
  "ftp://nas/a",
  "s6://nas/a",
  "javascript:1",
  "http://me@nas/",
  "",
  "http://",
])("Location %j is not followed", (location) => {
  const { server } = parseTarget("http://nas/d/a", SERVER_DEFAULT);
  expect(parseLocation(location, server, "/d/a")).toBeString();
});
