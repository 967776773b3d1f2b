/** A server in the test's own process, on a free port, with limits that a test can tighten. */
import { type Limits, LIMITS_DEFAULT } from "../../src/guard/limits.ts";
import { type CredentialFiles, Credentials } from "../../src/identity/credentials.ts";
import type { Networks } from "../../src/guard/networks.ts";
import type { Rates } from "../../src/guard/rates.ts";
import type { LinkKey } from "../../src/identity/links.ts";
import type { Tokens } from "../../src/identity/tokens.ts";
import { Log } from "../../src/observe/log.ts";
import type { LogFormat } from "../../src/observe/logline.ts";
import type { ListenAddress } from "../../src/server/listen.ts";
import type { Proxies } from "../../src/server/proxied.ts";
import { Server } from "../../src/server/serve.ts";
import { DiskStore, openDisk } from "../../src/store/disk.ts";
import type { RootPolicy } from "../../src/store/root.ts";
import { Peer } from "./peer.ts";

/** Both branches of the flow: every transfer test runs on each. */
export const BRANCHES: readonly [name: string, zeroCopy: boolean][] = [
  ["sendfile", true],
  ["copy", false],
];

/** What a test may change. */
export interface RunningOptions {
  readonly limits?: Partial<Limits>;
  readonly policy?: Partial<RootPolicy>;
  readonly zeroCopy?: boolean;
  readonly log?: LogFormat;
  readonly logFd?: number;
  readonly http?: boolean;
  readonly tls?: CredentialFiles;
  readonly plaintext?: boolean;
  readonly tokens?: Tokens;
  readonly linkKey?: LinkKey;
  readonly rates?: Rates;
  readonly adminAddress?: ListenAddress;
  readonly networks?: Networks;
  readonly proxies?: Proxies;
  readonly insecureAuth?: boolean;
  readonly index?: boolean;
}

/** The limits of a test's server, unless it says otherwise. */
export const TEST_LIMITS: Limits = {
  ...LIMITS_DEFAULT,
  connections: 2000,
  connectionsPerPeer: 2000,
  files: 500,
};

/** A server that stops with the test (`await using`). */
export class Running {
  readonly server: Server;
  readonly store: DiskStore;
  readonly port: number;

  /** Serves `root`. */
  constructor(root: string, options: RunningOptions = {}) {
    const limits = { ...TEST_LIMITS, ...options.limits };
    const policy = {
      hidden: false,
      symlinks: true,
      mounts: false,
      unconfined: false,
      ...options.policy,
    };
    const zeroCopy = options.zeroCopy ?? true;
    this.store = openDisk(root, policy, { files: limits.files, zeroCopy });
    this.server = new Server({
      store: this.store,
      limits,
      log: new Log(options.log ?? "off", options.logFd),
      addresses: [{ host: "127.0.0.1", port: 0 }],
      zeroCopy,
      http: options.http ?? true,
      credentials: options.tls === undefined ? null : new Credentials(options.tls),
      plaintext: options.plaintext ?? false,
      tokens: options.tokens ?? null,
      linkKey: options.linkKey ?? null,
      rates: options.rates ?? null,
      adminAddress: options.adminAddress ?? null,
      networks: options.networks ?? null,
      proxies: options.proxies ?? null,
      insecureAuth: options.insecureAuth ?? false,
      index: options.index ?? false,
    });
    this.port = this.server.addresses[0]?.port ?? 0;
  }

  /** A new raw connection. */
  dial(): Promise<Peer> {
    return Peer.dial(this.port);
  }

  /** Sends `request`, then FIN: all that comes back. */
  async ask(request: string): Promise<{ text: string; bytes: Buffer; ending: string }> {
    using peer = await this.dial();
    peer.send(request);
    peer.finish();
    const { bytes, ending } = await peer.all();
    return { text: bytes.toString("latin1"), bytes, ending };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop(0);
  }
}
