/**
 * Owns who is compared: each client is one row, with the options that were the fastest of those
 * tried here, and the server it talks to. Never runs anything. Invariant: each brings the same
 * bytes to the same place, and checks no less than it does by itself.
 */
import { join } from "node:path";
import type { Corpus } from "./corpus.ts";

/** The servers: `nc` and `tar` serve one connection and end. */
export type ServerName = "serv6" | "nginx" | "rsync" | "nc" | "tar";

/** What a client is told. */
export interface Job {
  readonly port: number;
  readonly corpus: Corpus;
  /** Where the corpus goes: its folder is there and empty, itself it is not. */
  readonly to: string;
  /** Where lists lie that a client reads. */
  readonly lists: string;
  /** The entry file of cli6. */
  readonly entry: string;
}

export interface Contender {
  readonly name: string;
  readonly server: ServerName;
  /** Programs that it needs. */
  readonly needs: readonly string[];
  command(job: Job): readonly string[];
  /** Its standard output is the file. */
  readonly prints?: boolean;
  /** What the list it reads (`listPath`) holds for one file. */
  readonly entry?: (url: string, path: string) => string;
}

/** The file with one entry for each file of a corpus. */
export function listPath(job: Job, contender: Contender): string {
  return join(job.lists, contender.name.replaceAll(/\W+/g, "-"));
}

function cli6(name: string, words: (job: Job) => readonly string[], prints = false): Contender {
  return {
    ...{ name, server: "serv6", needs: [], prints },
    command: (job) => [
      // As the first line of cli6.ts has it.
      ...["env", "BUN_JSC_useFTLJIT=0"],
      ...[process.execPath, "--config=/dev/null", "--no-env-file", job.entry],
      ...words(job),
    ],
  };
}

const s6 = ({ port, corpus }: Job): string => `s6://127.0.0.1:${port}/${corpus.name}`;
const http = ({ port, corpus }: Job): string => `http://127.0.0.1:${port}/${corpus.name}`;
const get = (name: string, ...flags: readonly string[]): Contender =>
  cli6(name, (job) => ["get", "-q", ...flags, s6(job), "-o", job.to]);

/** The same from the server that the rivals ask. */
const getHttp = (name: string, ...flags: readonly string[]): Contender => ({
  ...cli6(name, (job) => ["get", "-q", ...flags, http(job), "-o", job.to]),
  ...{ server: "nginx", needs: ["nginx"] },
});

const ARIA2 = ["aria2c", "--no-conf", "-q", "--file-allocation=none"];

const aria2 = (connections: number, pieces: readonly string[] = []): Contender => ({
  ...{ name: `aria2c -x${connections}`, server: "nginx", needs: ["aria2c", "nginx"] },
  command: (job) => [
    ...[...ARIA2, `-x${connections}`, `-s${connections}`, ...pieces],
    ...["-d", join(job.to, ".."), "-o", job.corpus.name, http(job)],
  ],
});

const curl: Contender = {
  ...{ name: "curl", server: "nginx", needs: ["curl", "nginx"] },
  command: (job) => ["curl", "-q", "-sS", "-o", job.to, http(job)],
};

/** What `cli6 get` promises besides: the bytes are on the disk, not in its cache. */
const curlSynced: Contender = {
  ...{ name: "curl, then sync", server: "nginx", needs: ["curl", "nginx", "sync", "sh"] },
  command: (job) => [...["sh", "-c", 'curl -q -sS -o "$0" "$1" && sync "$0"', job.to, http(job)]],
};

export const ONE_FILE: readonly Contender[] = [
  get("cli6 get"),
  get("cli6 get --no-verify", "--no-verify"),
  getHttp("cli6 get http"),
  cli6("cli6 > file", (job) => [s6(job)], true),
  curl,
  curlSynced,
  aria2(4),
  aria2(16),
  {
    ...{ name: "wget", server: "nginx", needs: ["wget", "nginx"] },
    command: (job) => ["wget", "--no-config", "-q", "-O", job.to, http(job)],
  },
  {
    ...{ name: "rsync", server: "rsync", needs: ["rsync"] },
    command: ({ port, corpus, to }) => [
      ...["rsync", "--whole-file", "--inplace"],
      ...[`rsync://127.0.0.1:${port}/data/${corpus.name}`, to],
    ],
  },
  {
    ...{ name: "nc", server: "nc", needs: ["nc"], prints: true },
    command: ({ port }) => ["nc", "-d", "127.0.0.1", String(port)],
  },
];

const curlMany = (parallel: number): Contender => {
  const self: Contender = {
    ...{ name: `curl -Z ${parallel}`, server: "nginx", needs: ["curl", "nginx"] },
    command: (job) => [
      ...["curl", "-q", "-sS", "-Z", "--parallel-max", String(parallel), "--create-dirs"],
      ...["-K", listPath(job, self)],
    ],
    entry: (url, path) => `url = "${url}"\noutput = "${path}"\n`,
  };
  return self;
};

const aria2Many: Contender = {
  ...{ name: "aria2c -j4", server: "nginx", needs: ["aria2c", "nginx"] },
  command: (job) => [...ARIA2, "-j4", "-x1", "-d", "/", "-i", listPath(job, aria2Many)],
  entry: (url, path) => `${url}\n out=${path.slice(1)}\n`,
};

const wgetMany: Contender = {
  ...{ name: "wget -i", server: "nginx", needs: ["wget", "nginx"] },
  command: (job) => [
    ...["wget", "--no-config", "-q", "-x", "-nH", "-P", join(job.to, "..")],
    ...["-i", listPath(job, wgetMany)],
  ],
  entry: (url) => `${url}\n`,
};

export const MANY_FILES: readonly Contender[] = [
  cli6("cli6 mirror", (job) => ["mirror", "-q", s6(job), job.to]),
  {
    ...{ name: "rsync -r", server: "rsync", needs: ["rsync"] },
    command: ({ port, corpus, to }) => [
      ...["rsync", "-r", "--whole-file", `rsync://127.0.0.1:${port}/data/${corpus.name}/`, to],
    ],
  },
  curlMany(4),
  curlMany(16),
  wgetMany,
  aria2Many,
  {
    ...{ name: "nc | tar", server: "tar", needs: ["nc", "tar", "sh"] },
    command: ({ port, to }) => [
      ...["sh", "-c", 'nc -d 127.0.0.1 "$0" | tar -x -C "$1"', String(port), join(to, "..")],
    ],
  },
];

/** An older version is there. */
export const REPLACED: readonly Contender[] = [
  get("cli6 get --force", "--force"),
  get("cli6 get --force --whole-file", "--force", "--whole-file"),
  {
    ...{ name: "rsync --no-whole-file", server: "rsync", needs: ["rsync"] },
    command: ({ port, corpus, to }) => [
      ...["rsync", "--no-whole-file", "--ignore-times"],
      ...[`rsync://127.0.0.1:${port}/data/${corpus.name}`, to],
    ],
  },
];

export const LONG_LINK: readonly Contender[] = [
  get("cli6 get -x1", "-x", "1"),
  get("cli6 get"),
  getHttp("cli6 get http"),
  curl,
  aria2(1),
  aria2(8, ["-k", "1M"]),
  aria2(16, ["-k", "1M"]),
];
