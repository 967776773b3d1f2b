/**
 * What the options of download() and mirror() mean: every one of them said, with its default and
 * its bounds. What is wrong with them is told at once, before anything is asked or made. No I/O.
 */
import {
  parseServer,
  parseTarget,
  sameServer,
  SERVER_DEFAULT,
  type ServerAddress,
  type Target,
  urlOf,
} from "../client/address.ts";
import type { TokenOption } from "../client/auth.ts";
import { httpNameOf } from "../client/httpaddress.ts";
import type { Path } from "../client/connect.ts";
import { CONNECT_TIMEOUT_MS } from "../client/dial.ts";
import { usageError } from "../client/error.ts";
import { STALL_TIMEOUT_MS } from "../client/stall.ts";
import { STAGING_PREFIX } from "../destination/staging.ts";
import { type OptionNames, refuseUnknown } from "../guard/options.ts";
import type { TrustOptions } from "../identity/trust.ts";
import type { Sink } from "../receive/sink.ts";
import { bytesOf, type ByteString, byteStringOf } from "../wire/bytes.ts";
import type { Remedy } from "../wire/failure.ts";
import { printable } from "../wire/printable.ts";
import type { TransferEvent } from "./events.ts";
import type { DownloadOptions, MirrorOptions, TransferOptions } from "./options.ts";
import { RETRIES_DEFAULT } from "./retry.ts";
import { type Sought, soughtOf } from "./sought.ts";

/** Connections that one file may get unless the caller says otherwise. */
export const CONNECTIONS_DEFAULT = 16;

/** More would be one server's whole share of a peer. */
export const CONNECTIONS_MAX = 1024;

/** A mistake in a path or a pattern should not cost more than this unasked. */
export const DELETE_MAX_DEFAULT = 1000;

/** The longest that a timer can wait; beyond, it would fire at once. */
const TIMEOUT_MS_MAX = 2_147_483_647;

/** The shared options, every one of them said. */
export interface TransferSettings {
  readonly connections: number;
  readonly limitRate: number | null;
  readonly retries: number;
  readonly retryRefused: boolean;
  readonly verify: boolean;
  readonly wholeFile: boolean;
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly trust: TrustOptions;
  readonly token: TokenOption | null;
  readonly insecureAuth: boolean;
  readonly signal: AbortSignal | null;
  readonly onEvent: ((event: TransferEvent) => void) | null;
}

/** Hex digits of the checksums that a caller may have of a file, by algorithm. */
const CHECKSUM_DIGITS = { sha256: 64, sha512: 128, sha1: 40, md5: 32 } as const;

const CHECKSUM_ALGOS = Object.keys(CHECKSUM_DIGITS) as (keyof typeof CHECKSUM_DIGITS)[];

/** What a checksum looks like, for a person. */
export const CHECKSUM_FORMS = CHECKSUM_ALGOS.map((algo, nth) =>
  nth === 0
    ? `"${algo}:" and ${CHECKSUM_DIGITS[algo]} hex digits, or these alone`
    : `or "${algo}:" and ${CHECKSUM_DIGITS[algo]}`,
).join(", ");

/** What a file must have. */
export interface Checksum {
  readonly algo: keyof typeof CHECKSUM_DIGITS;
  /** In lower case. */
  readonly hex: string;
}

/** The options of download(), checked. */
export interface DownloadSettings extends TransferSettings {
  readonly targets: readonly Sought[];
  readonly folder: ByteString;
  /** The name that each target gets; null where it may be a pattern: then its own. */
  readonly names: readonly (ByteString | null)[];
  /** Whether folders are brought. */
  readonly recursive: boolean;
  readonly sink: Sink | null;
  readonly force: boolean;
  readonly resume: boolean;
  readonly checksum: Checksum | null;
}

/** The options of mirror(), checked. */
export interface MirrorSettings extends TransferSettings {
  readonly target: Target;
  readonly folder: ByteString;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly wants: Exclude<MirrorOptions["wants"], undefined> | null;
  readonly deletes: boolean;
  readonly maxDelete: number;
  /** Whether the content of files that look the same is compared. */
  readonly compares: boolean;
  readonly dryRun: boolean;
}

const TRANSFER: OptionNames<TransferOptions> = {
  server: true,
  connections: true,
  limitRate: true,
  retries: true,
  retryRefused: true,
  verify: true,
  wholeFile: true,
  connectTimeoutMs: true,
  stallTimeoutMs: true,
  trust: true,
  token: true,
  insecureAuth: true,
  signal: true,
  onEvent: true,
};

const DOWNLOAD: OptionNames<DownloadOptions> = {
  from: true,
  alsoFrom: true,
  folder: true,
  glob: true,
  recursive: true,
  name: true,
  sink: true,
  force: true,
  continue: true,
  checksum: true,
  ...TRANSFER,
};

const MIRROR: OptionNames<MirrorOptions> = {
  from: true,
  folder: true,
  include: true,
  exclude: true,
  wants: true,
  delete: true,
  maxDelete: true,
  checksum: true,
  dryRun: true,
  ...TRANSFER,
};

/** Throws Failure (usage). */
export function downloadSettings(options: DownloadOptions): DownloadSettings {
  refuseUnknown("download()", options, DOWNLOAD);
  const { from, folder, name, sink = null, checksum, glob = false, recursive = false } = options;
  const paths = typeof from === "string" || from instanceof Uint8Array ? [from] : [...from];
  if (paths.length === 0) throw usageError("download what? from names nothing");
  const { alsoFrom = [], verify = true } = options;
  const servers = [serverOf(options.server), ...alsoFrom.map(serverOf)] as const;
  const reading = { servers, glob, named: name !== undefined, apart: sink !== null || recursive };
  const targets = soughtOf(paths.map(bytesFrom), reading);
  const several = targets.some(({ others }) => others.length > 0);
  if (several && sink !== null) throw usageError("a sink takes a file from one server");
  if (several && recursive) throw usageError("recursive brings folders from one server");
  if (several && !verify) throw usageError("several servers of one file are compared by digests");
  if (sink !== null && (folder !== undefined || name !== undefined)) {
    throw usageError("a sink takes the contents, or a folder does");
  }
  if (recursive) for (const target of targets) treeOf(target);
  if (recursive && sink !== null) throw usageError("a sink takes files, recursive brings folders");
  if (recursive && checksum !== undefined) throw oneFile("checksum");
  if (name !== undefined && targets.length > 1) throw oneFile("name");
  if (checksum !== undefined && targets.length > 1 && sink === null) throw oneFile("checksum");
  return {
    ...transferSettings(options),
    ...(several && { token: firstAlone(options.token, targets) }),
    targets,
    folder: folder === undefined ? "." : folderPath(folder),
    names: sink === null ? namesOf(targets, name, folder, recursive) : [],
    recursive,
    sink,
    force: options.force ?? false,
    resume: options.continue ?? true,
    checksum: checksum === undefined ? null : checksumOf(checksum),
  };
}

/** Throws Failure (usage). */
export function mirrorSettings(options: MirrorOptions): MirrorSettings {
  refuseUnknown("mirror()", options, MIRROR);
  return {
    ...transferSettings(options),
    target: treeOf(parseTarget(bytesFrom(options.from), serverOf(options.server))),
    folder: folderPath(options.folder),
    include: options.include ?? [],
    exclude: options.exclude ?? [],
    wants: options.wants ?? null,
    deletes: options.delete ?? false,
    maxDelete: whole("maxDelete", options.maxDelete ?? DELETE_MAX_DEFAULT, 0),
    compares: options.checksum ?? false,
    dryRun: options.dryRun ?? false,
  };
}

/** The digest that "sha512:HEX" and the like name; bare hex is a sha256. Throws Failure (usage). */
export function checksumOf(text: string): Checksum {
  const [, name = "sha256", hex = ""] = /^(?:([a-z0-9]+):)?([0-9a-f]+)$/i.exec(text) ?? [];
  const algo = CHECKSUM_ALGOS.find((one) => one === name.toLowerCase());
  if (algo !== undefined && hex.length === CHECKSUM_DIGITS[algo]) {
    return { algo, hex: hex.toLowerCase() };
  }
  throw usageError(`a checksum is ${CHECKSUM_FORMS}`);
}

/** The path of `name` in `folder`, as a person would write it. */
export function pathIn(folder: ByteString, name: ByteString): ByteString {
  if (folder === ".") return name;
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

/** The last name of `path`, as a file's here. Throws Failure (usage). */
export function nameOf(path: ByteString): ByteString {
  return checkedName(path.slice(path.lastIndexOf("/") + 1), path);
}

/** Throws Failure (usage) when two of `names` are equal. */
export function distinctNames(names: readonly ByteString[]): void {
  const seen = new Set<ByteString>();
  for (const name of names) {
    if (seen.has(name)) throw usageError(`two of them would be called ${printable(name)}`);
    seen.add(name);
  }
}

/** The error for the option `name`, which several files can't share. */
export function oneFile(name: string): Error {
  return usageError(`${name} is one file's, and several are asked for`);
}

// --- internal ---

function transferSettings(options: TransferOptions): TransferSettings {
  const { limitRate, signal = null, onEvent = null } = options;
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, stallTimeoutMs = STALL_TIMEOUT_MS } = options;
  return {
    connections: whole(
      "connections",
      options.connections ?? CONNECTIONS_DEFAULT,
      1,
      CONNECTIONS_MAX,
    ),
    limitRate: limitRate === undefined ? null : whole("limitRate", limitRate, 1),
    retries: whole("retries", options.retries ?? RETRIES_DEFAULT, 0),
    retryRefused: options.retryRefused ?? false,
    verify: options.verify ?? true,
    wholeFile: options.wholeFile ?? false,
    connectTimeoutMs: whole("connectTimeoutMs", connectTimeoutMs, 1, TIMEOUT_MS_MAX),
    stallTimeoutMs: whole("stallTimeoutMs", stallTimeoutMs, 1, TIMEOUT_MS_MAX),
    trust: options.trust ?? {},
    token: options.token ?? null,
    insecureAuth: options.insecureAuth ?? false,
    signal,
    onEvent,
  };
}

function whole(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw usageError(`${name} is a whole number from ${min} to ${max}`);
}

/** Throws Failure (usage) for a target that can't be listed. */
function treeOf(target: Target): Target {
  if (target.server.http === undefined) return target;
  const url = urlOf(target.server, target.path);
  throw usageError(`${url}: a server of HTTP lists no folders, only files can be fetched from it`);
}

/** A token that is given for no server in particular is shown to the one named first alone. */
function firstAlone(token: TokenOption = () => null, [first]: readonly Sought[]): TokenOption {
  if (typeof token !== "string" || first === undefined) return token;
  return (server) => (sameServer(server, first.server) ? token : null);
}

function serverOf(server: string | ServerAddress = SERVER_DEFAULT): ServerAddress {
  return typeof server === "string" ? parseServer(server) : server;
}

function bytesFrom(path: Path): ByteString {
  return typeof path === "string" ? bytesOf(path) : byteStringOf(path);
}

/** A path of this machine ends at a NUL for the kernel: what stands behind it would be lost. */
function folderPath(path: Path): ByteString {
  const bytes = bytesFrom(path);
  if (bytes !== "" && !bytes.includes("\0")) return bytes;
  throw usageError(`folder is a path of this machine, not "${printable(bytes)}"`);
}

function namesOf(
  targets: readonly Sought[],
  name: Path | undefined,
  folder: Path | undefined,
  recursive: boolean,
): readonly (ByteString | null)[] {
  if (name !== undefined) {
    return [checkedName(bytesFrom(name), pathIn(bytesFrom(folder ?? "."), bytesFrom(name)))];
  }
  const names = targets.map(({ server, path, pattern }) => {
    if (pattern !== null) return null;
    if (server.http !== undefined) return httpName(server, path);
    return nameOf(recursive ? path.replace(/(?<=[^/])\/+$/, "") : path);
  });
  distinctNames(names.filter((one) => one !== null));
  return names;
}

function httpName(server: ServerAddress, path: ByteString): ByteString {
  const name = httpNameOf(path);
  if (name !== "") return checkedName(name, name);
  throw usageError(`${urlOf(server, path)} names no file: say its name here (-o)`);
}

function checkedName(name: ByteString, given: ByteString): ByteString {
  const shown = printable(given);
  if (name === "" || name === "." || name === "..") {
    throw remedied(`${shown} names a folder`, "copy-folders");
  }
  if (name.includes("\0") || name.includes("/")) {
    throw usageError(`${shown}: no file here can have that name`);
  }
  if (name.startsWith(STAGING_PREFIX)) {
    throw remedied(`${shown}: names that start with ${STAGING_PREFIX} are cli6's own`, "rename");
  }
  return name;
}

function remedied(text: string, remedy: Remedy): Error {
  return Object.assign(usageError(text), { remedy });
}
