/**
 * What is wrong with a server's options, without a server: everything is read that serve() would
 * read, nothing is listened on, made or kept. All failures are told, not the first alone.
 */
import fs from "node:fs";
import { LinkKey } from "../identity/links.ts";
import { checkLogFile } from "../observe/logfile.ts";
import { kernel } from "../sys/kernel.ts";
import { Failure } from "../wire/failure.ts";
import {
  credentialsOf,
  networksOf,
  originOf,
  proxiesOf,
  type ServeOptions,
  storeOf,
  tokensOf,
} from "./start.ts";

/**
 * The failures with which serve() of `options` would end, as far as they show before it listens.
 * Files of `made` that are missing are none: who starts the server makes them. May be called while
 * a server runs, as often as wanted; what it opens is closed when it returns.
 */
export function failuresOf(options: ServeOptions, made: readonly string[] = []): Failure[] {
  const failures: Failure[] = [];
  const attempt = (check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  };
  for (const alone of oneByOne(options)) attempt(() => openAndClose(alone));
  const { tls, tokens, cors, logFile } = options;
  const { allow = [], deny = [], proxies = [] } = options;
  const toMake = (file: string | undefined): boolean =>
    file !== undefined && made.includes(file) && !fs.existsSync(file);
  if (tls !== undefined && !toMake(tls.cert)) attempt(() => credentialsOf(tls));
  if (tokens !== undefined) attempt(() => tokensOf(tokens));
  const linkKey = tokens?.linkKey;
  if (linkKey !== undefined && !toMake(linkKey)) attempt(() => new LinkKey(linkKey));
  for (const network of [...allow, ...deny]) attempt(() => networksOf([network], []));
  for (const proxy of proxies) attempt(() => proxiesOf([proxy]));
  if (cors !== undefined) attempt(() => originOf(cors));
  if (logFile !== undefined) attempt(() => checkLogFile(logFile));
  return failures;
}

// --- internal ---

/** Descriptors for files of a store that nobody asks anything. */
const FILES = 1;

/** `options` with each of their roots alone, so that each of them is told. */
function oneByOne(options: ServeOptions): ServeOptions[] {
  const { roots = {}, root } = options;
  const names = Object.entries(roots);
  if (names.length === 0 || root !== undefined) return [options];
  return names.map(([name, place]) => ({ ...options, roots: Object.fromEntries([[name, place]]) }));
}

function openAndClose(options: ServeOptions): void {
  storeOf(options, { files: FILES, zeroCopy: kernel.native }).close();
}
