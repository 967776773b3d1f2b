/** Newcomers whose first byte has not come: who waits, how long, and what they are taken for. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Lobby, type Way } from "../../../src/server/lobby.ts";
import { ERRNO } from "../../../src/sys/errno.ts";
import { kernel } from "../../../src/sys/kernel.ts";
import type { StreamSocket } from "../../../src/sys/socket.ts";
import { eventually } from "../../rig/faults.ts";

const NOTHING = -ERRNO.EAGAIN;
/** As the answer of a first byte that is none. */
const END = 0x100;

/** What peek() answers, by descriptor. */
const firsts = new Map<number, number>();
const { peek } = kernel;

beforeEach(() => {
  firsts.clear();
  kernel.peek = (fd, into) => {
    const first = firsts.get(fd) ?? NOTHING;
    if (first < 0) return first;
    into[0] = first & 0xff;
    return first === END ? 0 : 1;
  };
});
afterEach(() => {
  kernel.peek = peek;
});

interface Newcomer extends StreamSocket {
  readonly did: string[];
}

function newcomer(fd: number, remoteAddress = "127.0.0.1"): Newcomer {
  const did: string[] = [];
  const note = (what: string) => (): void => void did.push(what);
  const given: object = {
    ...{ fd, did, remoteAddress, remotePort: 1 },
    ...{ pause: note("pause"), resume: note("resume"), terminate: note("terminate") },
  };
  return given as Newcomer;
}

function lobby(): { it: Lobby<Newcomer>; decided: [number, Way | null][] } {
  const decided: [number, Way | null][] = [];
  return {
    it: new Lobby<Newcomer>({ tls: true, proxies: null }, ({ fd }, way) => decided.push([fd, way])),
    decided,
  };
}

test("whose first byte is there does not wait", () => {
  const { it, decided } = lobby();
  const cases: [number, Way][] = [
    [0x16, "tls"],
    [0x17, "plain"],
    ["R".charCodeAt(0), "plain"],
    [0, "plain"],
    // Its end, and an error: the connection finds out.
    [END, "plain"],
    [-ERRNO.ECONNRESET, "plain"],
  ];
  for (const [fd, [first]] of cases.entries()) {
    firsts.set(fd, first);
    it.enter(newcomer(fd));
  }
  expect(decided).toEqual(cases.map(([, way], fd): [number, Way] => [fd, way]));
  expect(it.waiting).toBe(0);
});

test("who says nothing yet is not read, and decided when the byte comes", async () => {
  const { it, decided } = lobby();
  const late = newcomer(7);
  it.enter(late);
  expect([late.did, decided, it.waiting]).toEqual([["pause"], [], 1]);
  firsts.set(7, 0x16);
  await eventually("its decision", () => decided.length === 1);
  expect([late.did, decided, it.waiting]).toEqual([["pause", "resume"], [[7, "tls"]], 0]);
});

test("sixteen wait; beyond it who has waited longest is taken for plaintext", () => {
  const { it, decided } = lobby();
  const all = Array.from({ length: 17 }, (_, fd) => newcomer(fd));
  for (const one of all) it.enter(one);
  expect([decided, it.waiting]).toEqual([[[0, "plain"]], 16]);
  it.left(all[3]!);
  it.enter(newcomer(99));
  expect([decided.length, it.waiting]).toEqual([1, 16]);
  it.close();
  expect([it.waiting, all[1]!.did]).toEqual([0, ["pause", "terminate"]]);
});

test("who opens many and says nothing takes no place of another one's", () => {
  const { it, decided } = lobby();
  it.enter(newcomer(1, "192.0.2.1"));
  for (let fd = 100; fd < 200; fd++) it.enter(newcomer(fd, "198.51.100.7"));
  it.enter(newcomer(2, "192.0.2.2"));
  expect(decided.map(([fd]) => fd).filter((fd) => fd < 100)).toEqual([]);
  expect([decided.length, it.waiting]).toEqual([86, 16]);
  it.close();
});
