/** A started serv6 --workers, and the processes that serve for it. */
import fs from "node:fs";
import { eventually } from "../../rig/faults.ts";
import { Peer } from "../../rig/peer.ts";
import { Started } from "./started.ts";

/** Processes that `pid` has started and that have not ended. */
export function childrenOf(pid: number): number[] {
  try {
    return fs
      .readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => fs.readFileSync(`/proc/${pid}/task/${task}/children`, "latin1").split(" "))
      .filter((word) => word.trim() !== "")
      .map(Number)
      .filter(runs);
  } catch {
    return [];
  }
}

/** Whether there is a process `pid` that has not ended: a zombie has. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(fs.readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

/** Sockets that `pid` holds. */
export function socketsOf(pid: number): number {
  return fs.readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

/** All of its workers, once `count` of them serve on `port`: each takes a connection. */
export async function serving(
  started: Started,
  count: number,
  port: number | null = null,
): Promise<number[]> {
  const { pid } = started.child;
  port ??= await started.port();
  await eventually(`${count} workers`, () => childrenOf(pid).length === count);
  // Sixteen newcomers all go to one of two workers once in 32,768 times: then it is tried again.
  for (;;) {
    const workers = childrenOf(pid);
    const before = workers.map(socketsOf);
    const peers = await Promise.all(Array.from({ length: 16 }, () => Peer.dial(port)));
    for (const peer of peers) peer.send("PING\n");
    for (const peer of peers) await peer.line();
    const taken = workers.map((worker, nth) => runs(worker) && socketsOf(worker) > before[nth]!);
    for (const peer of peers) peer[Symbol.dispose]();
    if (taken.length === count && taken.every(Boolean)) return workers;
    await Bun.sleep(20);
  }
}

/** The numbers of /-/metrics by their whole names, labels included. */
export async function metricsOf(port: number): Promise<Map<string, number>> {
  const reply = await fetch(`http://127.0.0.1:${port}/-/metrics`, { keepalive: false });
  const lines = (await reply.text()).split("\n").filter((line) => !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
