/**
 * Tests of what not every machine or user has. Where it is missing the test is skipped, not passed:
 * the counts show it, and its line says what is missing.
 */
import { test } from "bun:test";
import fs from "node:fs";
import { Confinement } from "../../src/sys/confine.ts";
import { shmemPagesAreSmall } from "../../src/sys/hugepages.ts";

/** What is needed, and whether it is here. */
export interface Need {
  readonly here: boolean;
  /** As in "not tested here: it needs ...". */
  readonly what: string;
}

/** True where `command` can be run and ends well: strace, unshare, ... are not everywhere. */
export function works(...command: string[]): boolean {
  try {
    return Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).exitCode === 0;
  } catch {
    return false;
  }
}

/** strace(1) that may trace: some containers forbid ptrace(2). */
export const STRACE: Need = {
  here: works("strace", "-f", "-qq", "-e", "trace=none", "true"),
  what: "strace that may trace",
};

/** The right to mount in a namespace of one's own, and to enter it. */
export const MOUNTS: Need = {
  here:
    works("unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt") &&
    works("nsenter", "--version"),
  what: "the right to mount, and nsenter",
};

/** Files in memory of single pages: elsewhere there is no arena (src/sys/hugepages.ts). */
export const SMALL_PAGES: Need = {
  here: shmemPagesAreSmall(),
  what: "shmem_enabled that allows no large pages",
};

/** What walls around a process are built of; files move between folders from version 2 on. */
export const WALLS: Need = {
  here:
    fs.existsSync("/proc/sys/kernel/seccomp/actions_avail") &&
    (Confinement.make()?.landlockVersion() ?? -1) > 1,
  what: "a kernel and a container with Landlock and seccomp",
};

/** A client of TLS that keeps its session in a file and shows it again. */
export const OPENSSL: Need = { here: works("openssl", "version"), what: "openssl" };

/** Walls that tell ports apart; before, a filter alone lets all of them through or none. */
export const PORTS: Need = {
  here: (Confinement.make()?.landlockVersion() ?? -1) >= 4,
  what: "a kernel whose Landlock knows ports (6.7)",
};

/** For device nodes, and files of another user. */
export const ROOT: Need = { here: process.geteuid?.() === 0, what: "root" };

/** bun:test's test(), skipped where one of `needs` is not here. */
export function needing(...needs: readonly Need[]) {
  const missing = needs.filter(({ here }) => !here).map(({ what }) => what);
  return (name: string, body: () => void | Promise<void>, timeoutMs?: number): void => {
    if (missing.length === 0) return test(name, body, timeoutMs);
    const why = `not tested here: it needs ${missing.join(" and ")}`;
    test.skip(`${name} (${why})`, body, timeoutMs); // the reason is on the line that is printed
  };
}
