/**
 * From a few words to a running server: what the command line and the library have in common. It
 * fills in every default and bound, opens the store, listens.
 */
import { type Limits, LIMITS_DEFAULT, shares } from "../guard/limits.ts";
import { type Network, networkAround, networkOf, Networks } from "../guard/networks.ts";
import { type OptionNames, refuseUnknown } from "../guard/options.ts";
import type { Rates } from "../guard/rates.ts";
import { Credentials } from "../identity/credentials.ts";
import { LinkKey } from "../identity/links.ts";
import { Tokens } from "../identity/tokens.ts";
import { Log } from "../observe/log.ts";
import type { LogFormat } from "../observe/logline.ts";
import type { BlockCache } from "../store/blocks/blockcache.ts";
import { Digester } from "../store/digester.ts";
import { HELD_BYTES_MAX, openDisk } from "../store/disk.ts";
import { openNamed } from "../store/namedroots.ts";
import type { DiskLimits } from "../store/opener.ts";
import type { RootPolicy } from "../store/root.ts";
import { isS3Root, s3AddressOf, type S3Options } from "../store/s3/address.ts";
import { openS3 } from "../store/s3/store.ts";
import type { Store } from "../store/store.ts";
import { kernel } from "../sys/kernel.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";
import { isToken, PORT_DEFAULT } from "../wire/vocabulary.ts";
import type { Colleague } from "./colleagues.ts";
import { type CacheOptions, cacheOf } from "./cache.ts";
import type { ListenAddress, ListenPlace } from "./listen.ts";
import { Proxies } from "./proxied.ts";
import { Server } from "./serve.ts";

/** Where the server listens when nobody says otherwise: this machine alone. */
export const HOST_DEFAULT = "127.0.0.1";

/** Descriptors that a root has beside those of its files: itself, its memory, pages under way. */
const ROOT_FDS = 8;

/** What to serve and how; everything but `root` has a default. */
export interface ServeOptions extends Partial<RootPolicy> {
  /** A directory, or one file, or "s3://bucket/prefix". */
  readonly root?: string;
  /**
   * Several in place of it, by names: each is a folder at the top of what is served, beside which
   * there is nothing.
   */
  readonly roots?: Readonly<Record<string, string>>;
  /** How the object stores are reached that are named so; needed there, and nowhere else. */
  readonly s3?: S3Options;
  /** Where blocks of objects are kept on this machine's disk; nowhere by default. */
  readonly cache?: CacheOptions;
  /** Addresses of this machine: 127.0.0.1 when none; "0.0.0.0" and "::" are all of them. */
  readonly hosts?: readonly string[];
  /** 6464 by default; 0 picks a free port. */
  readonly port?: number;
  /** False: large files leave through user space even where sendfile works. */
  readonly sendfile?: boolean;
  /** False: HTTP is turned away; S6/1 and bare paths are served. */
  readonly http?: boolean;
  /**
   * TLS on the same port, with a certificate and its key out of PEM files. Other machines have to
   * use it then, unless `plaintext` is true.
   */
  readonly tls?: TlsOptions;
  /** True: over HTTP a folder's index.html is served in place of its page. */
  readonly index?: boolean;
  /** The origin whose pages may read over HTTP, as "https://a.example", or "*"; none by default. */
  readonly cors?: string;
  /** Who may read what, by tokens; everybody everything by default. */
  readonly tokens?: TokenOptions;
  /** Most bytes a second, of one connection, one address and all; none by default. */
  readonly rates?: Partial<Rates>;
  /**
   * Networks that may connect, as "10.0.0.0/8"; all by default. This machine is one of them too.
   */
  readonly allow?: readonly string[];
  /** Networks that may not, also where `allow` names them. */
  readonly deny?: readonly string[];
  /**
   * Networks of proxies that tell whose connection each is that they pass on (version 2 of the
   * PROXY protocol); shares, rates, networks and the log go by that. None by default.
   */
  readonly proxies?: readonly string[];
  /**
   * Where HTTP has its paths for who runs the server ("/-/metrics"), and nothing else: "HOST:PORT".
   * By default they are where the files are, for this machine alone.
   */
  readonly adminAddress?: ListenAddress;
  /** Bounds other than the defaults. */
  readonly limits?: Partial<Limits>;
  /** Request log on stderr; "off" by default for a library. */
  readonly log?: LogFormat;
  /** The file it goes to instead, appended to; server.reopenLog() opens it anew. */
  readonly logFile?: string;
}

/** Files in PEM, and who may do without. */
export interface TlsOptions {
  /** The certificate, and those between it and a root behind it. Read again when it changes. */
  readonly cert: string;
  /** Its private key, without a passphrase. */
  readonly key: string;
  /** True: no authority has signed it, so that clients need its digest; for what is told of it. */
  readonly self?: boolean;
  /** Authorities that clients need a certificate of; none needed by default. */
  readonly clientCa?: string;
  /** True: other machines may also do without TLS. */
  readonly plaintext?: boolean;
}

/** Tokens: one, or a file of them. */
export interface TokenOptions {
  /** A file as src/identity/tokenfile.ts says. Read again when it changes. */
  readonly file?: string;
  /** The one token, which may read everything. */
  readonly secret?: string;
  /** The key of signed links, in a file that is read again when it changes. */
  readonly linkKey?: string;
  /** True: they are taken in plaintext from other machines too. */
  readonly insecure?: boolean;
}

const OPTIONS: OptionNames<ServeOptions> = {
  root: true,
  roots: true,
  s3: true,
  cache: true,
  hosts: true,
  port: true,
  hidden: true,
  symlinks: true,
  mounts: true,
  unconfined: true,
  sendfile: true,
  http: true,
  tls: true,
  tokens: true,
  rates: true,
  adminAddress: true,
  allow: true,
  deny: true,
  proxies: true,
  index: true,
  cors: true,
  limits: true,
  log: true,
  logFile: true,
};

const TLS: OptionNames<TlsOptions> = {
  cert: true,
  key: true,
  self: true,
  clientCa: true,
  plaintext: true,
};

const TOKENS: OptionNames<TokenOptions> = {
  file: true,
  secret: true,
  linkKey: true,
  insecure: true,
};

const S3: OptionNames<S3Options> = {
  endpoint: true,
  region: true,
  accessKeyId: true,
  secretAccessKey: true,
  sessionToken: true,
};

const RATES: OptionNames<Rates> = { connection: true, address: true, total: true };

const LIMITS: OptionNames<Limits> = {
  connections: true,
  connectionsPerPeer: true,
  files: true,
  pipeline: true,
  requestMs: true,
  idleMs: true,
  stallMs: true,
  stallBytes: true,
  storeMs: true,
  graceMs: true,
};

/** What a process is given that serves with others, or by sockets that somebody else has made. */
export interface Given {
  /** Where it listens, in place of `hosts` and `port`. */
  readonly places: readonly ListenPlace[];
  /** In place of `adminAddress`. */
  readonly admin: ListenPlace | null;
  readonly colleague: Colleague | null;
}

/**
 * Serves `root` or `roots` until stop(). Throws StoreError when they can't be served and
 * ListenError when an address can't be had, Failure (usage) for an option that it does not know,
 * Failure (local) for a log that can't be written; nothing is left half-started. `given` is for
 * serv6's own processes.
 */
export function serve(options: ServeOptions, given: Given | null = null): Server {
  refuseUnknown("serve()", options, OPTIONS);
  refuseUnknown("serve(): limits", options.limits ?? {}, LIMITS);
  const credentials = options.tls === undefined ? null : credentialsOf(options.tls);
  const tokens = options.tokens === undefined ? null : tokensOf(options.tokens);
  const rates = ratesOf(options, tokens);
  const networks = networksOf(options.allow ?? [], options.deny ?? []);
  const limits = limitsOf(options.limits ?? {});
  const zeroCopy = kernel.native && (options.sendfile ?? true);
  let log: Log | null = null;
  const cache = cacheOf(options.cache, (line) => log?.note(line));
  const store = opened(() => storeOf(options, { files: limits.files, zeroCopy }, cache), cache);
  const hosts = options.hosts ?? [HOST_DEFAULT];
  const port = options.port ?? PORT_DEFAULT;
  try {
    log = new Log(options.log ?? "off", options.logFile);
    return new Server({
      store,
      limits,
      log,
      addresses: given?.places ?? hosts.map((host) => ({ host, port })),
      zeroCopy,
      http: options.http ?? true,
      credentials,
      plaintext: options.tls?.plaintext ?? false,
      tokens,
      linkKey: options.tokens?.linkKey === undefined ? null : new LinkKey(options.tokens.linkKey),
      rates,
      adminAddress: given === null ? (options.adminAddress ?? null) : given.admin,
      colleague: given?.colleague ?? null,
      connectionsInAll: options.limits?.connections ?? Number.POSITIVE_INFINITY,
      networks,
      proxies: proxiesOf(options.proxies ?? []),
      insecureAuth: options.tokens?.insecure ?? false,
      index: options.index ?? false,
      cors: options.cors === undefined ? null : originOf(options.cors),
    });
  } catch (error) {
    log?.close();
    store.close();
    throw error;
  }
}

/** The places that `options` name, one or more. */
export function rootsOf({ root, roots }: ServeOptions): string[] {
  return root === undefined ? Object.values(roots ?? {}) : [root];
}

/**
 * What is served, with the descriptors that `limits` leaves it. Several roots have equal parts of
 * what one would have, and those of this machine compute digests in one thread; object stores share
 * `cache`, which ends with the first of them. Throws StoreError, and Failure (usage) where not one
 * of `root` and `roots` is named.
 */
export function storeOf(
  options: ServeOptions,
  limits: { readonly files: number; readonly zeroCopy: boolean },
  cache: BlockCache | null = null,
): Store {
  const { root, roots } = options;
  const { hidden = false, symlinks = true, mounts = false, unconfined = false } = options;
  const policy = { hidden, symlinks, mounts, unconfined };
  const open = (place: string, of: DiskLimits): Store =>
    isS3Root(place)
      ? openS3(s3AddressOf(place), s3Of(options.s3), policy, cache)
      : openDisk(place, policy, of);
  if (roots === undefined && root !== undefined) return open(root, limits);
  if (roots === undefined || root !== undefined) {
    throw new Failure("usage", "EINVAL", "serve() takes a root, or roots by their names");
  }
  const count = Object.keys(roots).length;
  const part = {
    ...limits,
    files: Math.max(1, Math.floor(limits.files / count) - ROOT_FDS),
    heldBytes: Math.floor(HELD_BYTES_MAX / count),
    digester: new Digester(),
  };
  return openNamed(roots, (place) => open(place, part));
}

/**
 * As browsers write it: a scheme, a host and a port that is not the scheme's own; or "*". Throws
 * Failure (usage) for what is neither.
 */
export function originOf(text: string): string {
  if (text === "*") return text;
  const origin = URL.canParse(text) ? new URL(text).origin : "null";
  if (origin === text && origin !== "null") return text;
  const why = `${printableText(text)} is no origin as "https://a.example", nor "*"`;
  throw new Failure("usage", "EINVAL", `cors: ${why}`);
}

/** The certificate and key of `tls`. Throws Failure (usage). */
export function credentialsOf(tls: TlsOptions): Credentials {
  refuseUnknown("serve(): tls", tls, TLS);
  if (!kernel.native) {
    throw new Failure("usage", "ENOSYS", "TLS on the port of all dialects needs Linux");
  }
  return new Credentials({
    cert: tls.cert,
    key: tls.key,
    clientCa: tls.clientCa ?? null,
    self: tls.self ?? false,
  });
}

/** Who may read what, by `options`. Throws Failure (usage). */
export function tokensOf(options: TokenOptions): Tokens {
  refuseUnknown("serve(): tokens", options, TOKENS);
  const { file, secret, linkKey } = options;
  if (file !== undefined && secret === undefined) return Tokens.ofFile(file);
  if (file === undefined && secret !== undefined && isToken(secret)) return Tokens.ofSecret(secret);
  if (file === undefined && secret === undefined && linkKey !== undefined) return Tokens.none();
  throw new Failure("usage", "EINVAL", "tokens are a file of them, or one of visible ASCII");
}

/** Null where neither is given. Throws Failure (usage) for the first that is no network. */
export function networksOf(allow: readonly string[], deny: readonly string[]): Networks | null {
  if (allow.length + deny.length === 0) return null;
  const parsed = (text: string): Network => {
    const network = networkOf(text);
    if (network !== null) return network;
    const example = networkAround(text) ?? "10.0.0.0/8";
    const why = `${printableText(text)} is no address and no network, as ${example}`;
    throw new Failure("usage", "EINVAL", why);
  };
  return new Networks(allow.map(parsed), deny.map(parsed));
}

/** Null where none is given. Throws Failure (usage) for the first that is no network. */
export function proxiesOf(proxies: readonly string[]): Proxies | null {
  const networks = networksOf(proxies, []);
  if (networks === null) return null;
  if (!kernel.native) throw new Failure("usage", "ENOSYS", "the PROXY protocol needs Linux");
  return new Proxies(networks);
}

// --- internal ---

/** What `open` gives; where it throws `cache` is closed. */
function opened(open: () => Store, cache: BlockCache | null): Store {
  try {
    return open();
  } catch (error) {
    cache?.close();
    throw error;
  }
}

function s3Of(given: S3Options | undefined): S3Options {
  if (given === undefined) {
    throw new Failure("usage", "EINVAL", "serve(): an s3:// root needs s3: { accessKeyId, ... }");
  }
  refuseUnknown("serve(): s3", given, S3);
  const { endpoint } = given;
  if (endpoint === undefined || /^https?:\/\/[^/?#]+\/?$/.test(endpoint)) return given;
  const why = `${printableText(endpoint)} is no address as "https://s3.example:9000"`;
  throw new Failure("usage", "EINVAL", `the endpoint of the object store: ${why}`);
}

/** Null where nothing is bounded: then nobody looks. A token may have a rate at any time. */
function ratesOf({ rates = {} }: ServeOptions, tokens: Tokens | null): Rates | null {
  refuseUnknown("serve(): rates", rates, RATES);
  const { connection = 0, address = 0, total = 0 } = rates;
  return connection + address + total === 0 && tokens === null
    ? null
    : { connection, address, total };
}

/** Descriptors are shared out so that they can't run out, whatever was asked for. */
function limitsOf(wanted: Partial<Limits>): Limits {
  const nofile = kernel.nofile();
  const share = shares(nofile);
  const files = Math.min(wanted.files ?? share.files, share.files + share.connections);
  const connections = Math.min(
    wanted.connections ?? share.connections,
    Math.max(1, share.connections + share.files - files),
  );
  const connectionsPerPeer = wanted.connectionsPerPeer ?? Math.ceil((connections * 3) / 4);
  const named = Object.entries(wanted).filter(([, value]) => value !== undefined);
  const times: Partial<Limits> = Object.fromEntries(named);
  return { ...LIMITS_DEFAULT, ...times, files, connections, connectionsPerPeer };
}
