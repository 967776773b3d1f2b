/** Whom root becomes: names of /etc/passwd, and who can read what is served, by modes. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import {
  namedUser,
  type Needs,
  outOfReach,
  servingUser,
  unreadable,
} from "../../../src/cli/serv6/runas.ts";
import { Tree } from "../../rig/tree.ts";

const uid = process.geteuid?.() ?? 0;
const gid = process.getegid?.() ?? 0;
const PASSWD = `me:x:${uid}:${gid}:somebody:/:/bin/sh\nnobody:x:65534:65533::/:\nbroken\n`;
const NOTHING: Needs = { read: [], write: [] };

test("a user is a name, a number, or either with a group", () => {
  expect(namedUser("me", PASSWD)).toEqual({ uid, gid, name: "me" });
  expect(namedUser(String(uid), PASSWD)).toEqual({ uid, gid, name: "me" });
  expect(namedUser(`${uid}:77`, PASSWD)).toEqual({ uid, gid: 77, name: "me" });
  expect(namedUser(String(uid), "")).toEqual({ uid, gid: uid, name: String(uid) });
  for (const wrong of ["you", "me:", ":5", "me:wheel", "4294967295", "-1", "me:4294967295"]) {
    expect(() => namedUser(wrong, PASSWD)).toThrow("--user takes NAME or UID[:GID]");
  }
});

test("another one than the own needs root", () => {
  const other = () => namedUser("65534", PASSWD);
  if (uid === 0) expect(other()).toEqual({ uid: 65534, gid: 65533, name: "nobody" });
  else expect(other).toThrow("--user needs root");
});

test("who serves can read ROOT and what it needs: its owner, nobody, or root", () => {
  using tree = new Tree({ "d/f": "", log: null });
  const [owner, anybody] = uid === 0 ? ["root", "nobody"] : ["me", "me"];
  const by = (needs = NOTHING): string => servingUser([tree.root], needs, PASSWD).name;
  const stranger = { uid: 65533, gid: 65533, name: "stranger" };
  // As mkdtemp(3) makes it: for its owner alone.
  expect(fs.statSync(tree.root).mode & 0o777).toBe(0o700);
  expect(by()).toBe(uid === 0 ? "root" : owner);
  expect(outOfReach(stranger, { read: [tree.path("d/f")], write: [] })).toHaveLength(1);
  fs.chmodSync(tree.root, 0o755);
  expect(by()).toBe(anybody);
  const needs = { read: [tree.path("d/f"), tree.path("none")], write: [tree.path("log")] };
  // A folder to write in that is its owner's alone.
  expect(by(needs)).toBe(uid === 0 ? "root" : owner);
  expect(outOfReach(stranger, needs)).toEqual([tree.path("log")]);
  fs.chmodSync(tree.path("log"), 0o777);
  expect(by(needs)).toBe(anybody);
  expect(outOfReach(stranger, needs)).toEqual([]);
  fs.chmodSync(tree.path("d"), 0o700);
  expect(outOfReach(stranger, needs)).toEqual([tree.path("d/f")]);
});

test("who serves several roots can read all of them", () => {
  using open = new Tree();
  using closed = new Tree();
  fs.chmodSync(open.root, 0o755);
  const stranger = { uid: 65533, gid: 65533, name: "stranger" };
  expect(unreadable(stranger, [open.root, closed.root])).toEqual([closed.root]);
  const anybody = uid === 0 ? "nobody" : "me";
  expect(servingUser([open.root, open.root], NOTHING, PASSWD).name).toBe(anybody);
  const only = uid === 0 ? "root" : "me";
  expect(servingUser([open.root, closed.root], NOTHING, PASSWD).name).toBe(only);
  if (uid !== 0) return;
  fs.chownSync(closed.root, 4321, 4321);
  expect(servingUser([open.root, closed.root], NOTHING, PASSWD).name).toBe("4321");
  // Of two owners neither can read what is the other's alone: then it is root, without its rights.
  fs.chmodSync(open.root, 0o700);
  fs.chownSync(open.root, 1234, 1234);
  expect(servingUser([open.root, closed.root], NOTHING, PASSWD).name).toBe("root");
});
