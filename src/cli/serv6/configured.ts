/**
 * From flags, environment and file to what a server is started with. It reads them anew at each
 * call and keeps nothing, so that a server that runs can ask again what it would be by now.
 */
import type { Limits } from "../../guard/limits.ts";
import type { ServeOptions } from "../../server/start.ts";
import { utf8Of } from "../../wire/bytes.ts";
import { Failure } from "../../wire/failure.ts";
import { printableText } from "../../wire/printable.ts";
import {
  type Environment,
  type Given,
  parseFlags,
  type Said,
  UsageError,
  type Values,
} from "../flags/flags.ts";
import { adminOf } from "./adminflags.ts";
import { type ConfigFile, readConfig, type ServedPlaces } from "./configfile.ts";
import { ratesOf } from "./rateflags.ts";
import { cacheOf } from "./cacheflags.ts";
import { s3Of } from "./s3flags.ts";
import type { SERV6 } from "./serv6.ts";
import { tlsOf } from "./tlsflags.ts";
import { tokensOf } from "./tokenflags.ts";

/** The values of serv6's flags. */
export type Serv6Values = Values<(typeof SERV6)["flags"]>;

/** How to read. */
export interface Reading {
  /** Told all that is wrong, instead of the first being thrown; what is wrong is left out. */
  readonly wrong?: (error: UsageError | Failure) => void;
  /** What the file had when it was read; without it the file is read now. */
  readonly text?: string | undefined;
  /** False: keys of the server's own that are missing are not made. */
  readonly makes?: boolean;
}

/** What was said, all together. */
export interface Configured {
  readonly values: Serv6Values;
  /** Who said each of them. */
  readonly said: ReadonlyMap<string, Said>;
  readonly options: ServeOptions;
  /** The configuration file; null without one. */
  readonly file: ConfigFile | null;
  /** Who said what is served. */
  readonly servedBy: Said["by"];
  /** What of it has no effect, in words; null where everything has. */
  readonly unused: string | null;
}

/**
 * What `args` and `environment`, and the file that they name, say of a server. `command` is SERV6.
 * Throws UsageError and Failure for what is wrong, as far as `wrong` does not take it. A question
 * (--help) is none of a server: it throws.
 */
export function configured(
  command: typeof SERV6,
  args: readonly string[],
  environment: Environment,
  { wrong, text, makes = true }: Reading = {},
): Configured {
  const beside = wrong === undefined ? {} : { wrong };
  // What names the file is not in the file; what is wrong is told by the second reading.
  const { config } = valuesOf(parseFlags(command, args, environment, { wrong: () => {} })).values;
  const file = config === undefined ? null : readConfig(config, command, text);
  takeFaults(file?.wrong ?? [], wrong);
  const filed = file === null ? {} : { filed: file.values };
  const run = valuesOf(parseFlags(command, args, environment, { ...beside, ...filed }));
  const { values, said, operands } = run;
  const attempt = <T>(make: () => T, otherwise: T): T => {
    try {
      return make();
    } catch (error) {
      if (wrong === undefined) throw error;
      if (!(error instanceof UsageError || error instanceof Failure)) throw error;
      wrong(error);
      return otherwise;
    }
  };
  const root = operands[0]?.text;
  const served = attempt(() => servedHere(servedOf(root, file)), { root: "." });
  const roots = served.root === undefined ? Object.values(served.roots ?? {}) : [served.root];
  const options = {
    ...served,
    ...plainOptions(values),
    ...attempt(() => tlsOf(values, roots, environment, makes), {}),
    ...attempt(() => tokensOf(values, environment, makes), {}),
    ...ratesOf(values),
    ...attempt(() => s3Of(values, roots, environment), {}),
    ...attempt(() => cacheOf(values, roots), {}),
    ...adminOf(values),
  };
  const inFile = Object.keys(file?.served ?? {})[0];
  const servedBy = root !== undefined ? "flag" : inFile === undefined ? "default" : "file";
  return { values, said, options, file, servedBy, unused: unusedOf(root, file, inFile) };
}

// --- internal ---

function takeFaults(faults: readonly UsageError[], wrong: Reading["wrong"]): void {
  const [first] = faults;
  if (first === undefined) return;
  if (wrong === undefined) {
    const more = faults.length - 1;
    throw more === 0 ? first : new UsageError(`${first.message} (${more} more: --check tells all)`);
  }
  for (const fault of faults) wrong(fault);
}

function valuesOf<T extends { readonly asks: string }>(invocation: T): Extract<T, Given> {
  if (invocation.asks === "run") return invocation as Extract<T, Given>;
  throw new UsageError("--help and --version are answered before anything is read");
}

/** What is served, none of it an address of another server. */
function servedHere(places: ServedPlaces): ServedPlaces {
  for (const place of [places.root ?? "", ...Object.values(places.roots ?? {})]) {
    if (!/^(?:s6s?|https?):\/\//i.test(place)) continue;
    const address = printableText(place);
    throw new UsageError(`${address} is an address, which cli6 takes: serv6 serves what is here`);
  }
  return places;
}

/** What is served: ROOT, or what the file says, or the current folder. */
function servedOf(root: string | undefined, file: ConfigFile | null): ServedPlaces {
  // Node's file functions take text: a ROOT that is not UTF-8 can't be found.
  if (root !== undefined) return { root: utf8Of(root) };
  if (file !== null && Object.keys(file.served).length > 0) return file.served;
  // A service manager starts programs in /, and nobody wants all of it served by default.
  if (process.cwd() === "/") {
    throw new UsageError("the current folder is /: name a ROOT (serv6 / if you mean it)");
  }
  return { root: "." };
}

function unusedOf(
  root: string | undefined,
  file: ConfigFile | null,
  inFile: string | undefined,
): string | null {
  if (root === undefined || file === null || inFile === undefined) return null;
  const other = inFile === "roots" ? "the roots there are" : "the root there is";
  return `ROOT goes before ${printableText(file.path)}: ${other} not served`;
}

function plainOptions(values: Serv6Values): Omit<ServeOptions, "root" | "roots"> {
  const { port, bind, hidden, symlinks, mounts, unconfined, sendfile, http, index, log } = values;
  const { cors } = values;
  const logFile = values["log-file"];
  return {
    // Brackets are part of a URL, not of the address.
    hosts: bind.map((host) => host.replace(/^\[(.*)\]$/s, "$1")),
    ...{ port, hidden, symlinks, mounts, unconfined, sendfile, http, index, log },
    ...(cors === undefined ? {} : { cors: utf8Of(cors) }),
    ...(logFile === undefined ? {} : { logFile }),
    limits: limitsOf(values),
  };
}

function limitsOf(values: Serv6Values): Partial<Limits> {
  const { "max-connections": connections, "max-per-peer": connectionsPerPeer } = values;
  const files = values["max-files"];
  return {
    pipeline: values["max-in-flight"],
    requestMs: values["request-timeout"],
    idleMs: values["idle-timeout"],
    stallMs: values["stall-timeout"],
    stallBytes: values["min-progress"],
    graceMs: values.grace,
    ...(connections === undefined ? {} : { connections }),
    ...(connectionsPerPeer === undefined ? {} : { connectionsPerPeer }),
    ...(files === undefined ? {} : { files }),
  };
}
