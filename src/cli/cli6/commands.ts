/**
 * The table of the commands of cli6. Each command's file is imported only when its word is given,
 * so that `cli6 PATH` does not load them.
 */
import type { SubcommandRow } from "../flags/subcommand.ts";

/** In the order of the help. A row without `load` keeps its word for a command to come. */
export const COMMANDS: readonly SubcommandRow[] = [
  {
    word: "get",
    summary: "copy files to this machine, going on where it was interrupted",
    load: async () => (await import("../commands/get.ts")).GET,
  },
  {
    word: "mirror",
    summary: "make a folder here equal to one of the server",
    load: async () => (await import("../commands/mirror.ts")).MIRROR,
  },
  {
    word: "ls",
    summary: "list folders",
    load: async () => (await import("../commands/ls.ts")).LS,
  },
  {
    word: "stat",
    summary: "tell type, size, time and version",
    load: async () => (await import("../commands/stat.ts")).STAT,
  },
  {
    word: "hash",
    summary: "print digests as sha256sum does, computed by the server",
    load: async () => (await import("../commands/hash.ts")).HASH,
  },
  {
    word: "ping",
    summary: "measure round trips",
    load: async () => (await import("../commands/ping.ts")).PING,
  },
  {
    word: "login",
    summary: "save a token for a server, readable by this user alone",
    load: async () => (await import("../commands/login.ts")).LOGIN,
  },
];
