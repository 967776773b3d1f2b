/** The options of download() and mirror() as a caller writes them; settings.ts checks them. */
import type { ServerAddress } from "../client/address.ts";
import type { TokenOption } from "../client/auth.ts";
import type { Path } from "../client/connect.ts";
import type { TrustOptions } from "../identity/trust.ts";
import type { Sink } from "../receive/sink.ts";
import type { TransferEvent } from "./events.ts";

/** What download() and mirror() have in common. */
export interface TransferOptions {
  /** The server of paths that are no URL, as "host:port"; 127.0.0.1:6464 when not given. */
  readonly server?: string | ServerAddress;
  /** Most connections of one file, added only while that makes it faster; 16. */
  readonly connections?: number;
  /** Most bytes a second, all connections together; no limit. */
  readonly limitRate?: number;
  /** Tries after a lost connection, in a row without progress; 5. */
  readonly retries?: number;
  /**
   * Whether a server that refuses the first connection is tried again too; false: nobody is there,
   * which fails at once.
   */
  readonly retryRefused?: boolean;
  /** Whether what arrives is compared with the server's digests; true. */
  readonly verify?: boolean;
  /** Whether a file that is replaced is fetched whole, also what is the same in it; false. */
  readonly wholeFile?: boolean;
  /** Milliseconds until an attempt to connect is given up; 10,000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds without progress until a connection is given up; 60,000. */
  readonly stallTimeoutMs?: number;
  /** How servers are known that are reached by TLS (s6s://); by the system's authorities. */
  readonly trust?: TrustOptions;
  /** What servers are shown before anything is asked, by TLS or on this machine; none. */
  readonly token?: TokenOption;
  /** Whether it is also shown in plaintext to other machines; false. */
  readonly insecureAuth?: boolean;
  /**
   * Ends it: the promise rejects, with the reason itself where that is one of our errors; what has
   * come stays for the next run.
   */
  readonly signal?: AbortSignal;
  /** Told of incidents. What it throws ends the operation, which rejects with it. */
  readonly onEvent?: (event: TransferEvent) => void;
}

/** What to bring and where to. */
export interface DownloadOptions extends TransferOptions {
  /**
   * s6:// or s6s:// URLs, or paths on `server`. URLs of one path on different servers are one file,
   * as all are that one `name` is given for: it comes from every one that has the same content.
   */
  readonly from: Path | readonly Path[];
  /** More servers of paths that are no URL, which a file comes from as well; none. */
  readonly alsoFrom?: readonly (string | ServerAddress)[];
  /** The folder they go into, made when missing; the current one. */
  readonly folder?: Path;
  /**
   * Whether a path that no file has is a pattern: *, ?, [...] and {a,b} within a name, ** for any
   * folders; false. In a URL an escaped one (%2A) is itself.
   */
  readonly glob?: boolean;
  /** Bring folders too, each as mirror() would without removing anything; false: that fails. */
  readonly recursive?: boolean;
  /** The name that the one file gets; its own. */
  readonly name?: Path;
  /** Takes the contents, one behind the other, instead of a folder. */
  readonly sink?: Sink;
  /** Replace what is there; false: that fails. */
  readonly force?: boolean;
  /** Go on where an earlier run stopped; true. */
  readonly continue?: boolean;
  /** "sha256:" (or sha512, sha1, md5) and hex digits; without a name a sha256: the one file's. */
  readonly checksum?: string;
}

/** Which tree to mirror, and where. */
export interface MirrorOptions extends TransferOptions {
  /** The folder there: an s6:// or s6s:// URL, or a path on `server`. */
  readonly from: Path;
  /** The folder here, made when missing. */
  readonly folder: Path;
  /** Only files that match one of these globs. One without a slash matches a name anywhere. */
  readonly include?: readonly string[];
  /** No files and folders that match; they are not removed here either. */
  readonly exclude?: readonly string[];
  /** Asked for each path that the globs let through: names joined by "/", as UTF-8. */
  readonly wants?: (path: string, type: "file" | "dir") => boolean;
  /** Remove here what the server does not have, if all else went well; false. */
  readonly delete?: boolean;
  /** Remove nothing if it would be more than this; 1000. */
  readonly maxDelete?: number;
  /** Compare the content of files that look the same, by digests; false. */
  readonly checksum?: boolean;
  /** Only tell what would be done, as "planned" events; false. */
  readonly dryRun?: boolean;
}
