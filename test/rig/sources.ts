/** Servers that all have one file, for tests of downloads from several sources. */
import fs from "node:fs";
import type { HttpFake } from "./httpfake.ts";
import { content } from "./oracle.ts";
import { type Misbehave, Scripted } from "./scripted.ts";
import type { Tree } from "./tree.ts";

const MIB = 1024 * 1024;

/** Bytes under one digest. */
export const CHUNK = 4 * MIB;

/** Six chunks, the last of five bytes. */
export const large = content(3, 1, 5 * CHUNK + 5);

/** What they serve. */
export const FILES = { "/f": large };

/** Misbehaves in nothing. */
export const HONEST: Misbehave = () => undefined;

/** Servers of one file, each with a version of its own words, in the order of their manners. */
export function serversOf(...all: readonly Misbehave[]): Scripted[] & Disposable {
  const servers = all.map((misbehave, nth) => {
    const server = new Scripted({}, misbehave);
    server.put("/f", large, nth + 1, `${nth + 1}000000000`);
    return server;
  });
  return Object.assign(servers, {
    [Symbol.dispose]: () => servers.forEach((server) => server[Symbol.dispose]()),
  });
}

/** Where they have it. */
export function urls(servers: readonly (Scripted | HttpFake)[]): string[] {
  return servers.map((server) => server.url("/f"));
}

/** Bytes that `server` was asked for by READ. */
export function asked(server: Scripted): number {
  return server.requests("READ").reduce((sum, one) => sum + Number(one.key("length")), 0);
}

/** Whether the file is here as `f`. */
export function brought(here: Tree): boolean {
  return fs.readFileSync(here.path("f")).equals(large);
}
