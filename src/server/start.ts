/**
 * From a few words to a running server: what the command line and the library have in common. It
 * fills in every default and bound, opens the store, listens.
 */
import { type Limits, LIMITS_DEFAULT, shares } from "../guard/limits.ts";
import { type OptionNames, refuseUnknown } from "../guard/options.ts";
import { Log, type LogFormat } from "../observe/log.ts";
import { openDisk } from "../store/disk.ts";
import type { RootPolicy } from "../store/root.ts";
import { kernel } from "../sys/kernel.ts";
import { PORT_DEFAULT } from "../wire/vocabulary.ts";
import { Server } from "./serve.ts";

/** Where the server listens when nobody says otherwise: this machine alone. */
export const HOST_DEFAULT = "127.0.0.1";

/** What to serve and how; everything but `root` has a default. */
export interface ServeOptions extends Partial<RootPolicy> {
  /** A directory, or one file. */
  readonly root: string;
  /** Addresses of this machine: 127.0.0.1 when none; "0.0.0.0" and "::" are all of them. */
  readonly hosts?: readonly string[];
  /** 6464 by default; 0 picks a free port. */
  readonly port?: number;
  /** False: large files leave through user space even where sendfile works. */
  readonly sendfile?: boolean;
  /** False: HTTP is turned away; S6/1 and bare paths are served. */
  readonly http?: boolean;
  /** Bounds other than the defaults. */
  readonly limits?: Partial<Limits>;
  /** Request log on stderr; "off" by default for a library. */
  readonly log?: LogFormat;
}

const OPTIONS: OptionNames<ServeOptions> = {
  root: true,
  hosts: true,
  port: true,
  hidden: true,
  symlinks: true,
  mounts: true,
  unconfined: true,
  sendfile: true,
  http: true,
  limits: true,
  log: true,
};

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

/**
 * Serves `root` until stop(). Throws StoreError when it can't be served and ListenError when an
 * address can't be had, Failure (usage) for an option that it does not know; nothing is left
 * half-started.
 */
export function serve(options: ServeOptions): Server {
  refuseUnknown("serve()", options, OPTIONS);
  refuseUnknown("serve(): limits", options.limits ?? {}, LIMITS);
  const limits = limitsOf(options.limits ?? {});
  const { hidden = false, symlinks = true, mounts = false, unconfined = false } = options;
  const zeroCopy = kernel.native && (options.sendfile ?? true);
  const policy = { hidden, symlinks, mounts, unconfined };
  const store = openDisk(options.root, policy, { files: limits.files, zeroCopy });
  const hosts = options.hosts ?? [HOST_DEFAULT];
  const port = options.port ?? PORT_DEFAULT;
  try {
    return new Server({
      store,
      limits,
      log: new Log(options.log ?? "off"),
      addresses: hosts.map((host) => ({ host, port })),
      zeroCopy,
      http: options.http ?? true,
    });
  } catch (error) {
    store.close();
    throw error;
  }
}

// --- internal ---

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
