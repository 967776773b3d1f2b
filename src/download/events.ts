/**
 * What a program may want to hear of while a download or a mirror runs. One call for each file or
 * incident, none for a chunk: how many bytes have come is in the progress, for who looks.
 */
import type { Failure } from "../wire/failure.ts";
import type { FileProgress } from "./progress.ts";
import type { Waited } from "./retry.ts";
import type { Difference } from "./uptodate.ts";

/** One incident. All names are printable, for a person. */
export type TransferEvent =
  /**
   * A file is complete, compared, synced, and has its name. mirror() says why it has brought it, as
   * "new" or what differed first (version is the etag), and its path below the folder.
   */
  | {
      readonly type: "done";
      readonly file: Readonly<FileProgress>;
      readonly change?: { readonly why: "new" | Difference; readonly path: string };
    }
  /** Something failed: a file where there is one, else a listing or the whole. The rest goes on. */
  | {
      readonly type: "failed";
      readonly error: Failure;
      readonly file: Readonly<FileProgress> | null;
    }
  /** A file is here already in the server's version. */
  | { readonly type: "unchanged"; readonly name: string }
  /** mirror() has removed what the server does not have. */
  | { readonly type: "removed"; readonly name: string }
  /** mirror() has found something to remove and leaves it, since not everything went well. */
  | { readonly type: "not-removed" }
  /** mirror() with dryRun: what it would do. */
  | {
      readonly type: "planned";
      readonly action: "new" | "changed" | "removed";
      readonly name: string;
      /** Bytes on the server; null of what is removed. */
      readonly size: number | null;
    }
  /** What passes has failed, and is tried again after the wait. */
  | ({ readonly type: "retry" } & Waited)
  /** Something worth a line. */
  | { readonly type: "note"; readonly text: string };
