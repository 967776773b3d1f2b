/** An order: which file of a server is to be brought, and the name that it gets here. */
import type { Folder } from "../destination/folder.ts";
import type { Publication } from "../destination/staged.ts";
import type { RemoteFile } from "./origin.ts";
import type { Checksum } from "./settings.ts";
import type { SourceFile } from "./source.ts";
import type { Difference } from "./uptodate.ts";
import type { ByteString } from "../wire/bytes.ts";

/** One file to bring. */
export interface Order {
  /** The file in the version that is wanted; another version when the server's has changed. */
  file: RemoteFile;
  /** The same file on other servers, as far as their size tells; they are compared by digests. */
  others?: readonly SourceFile[];
  /** What the whole must have, as the caller says. */
  readonly checksum?: Checksum | null;
  /** The same as those say who bring it; set with `file` where digests of the whole chose them. */
  whole?: Checksum | null;
  readonly folder: Folder;
  /** Its name in `folder`. */
  readonly name: ByteString;
  /** The name it is staged under. */
  readonly staged: ByteString;
  /** Whether a file of that name is replaced. */
  readonly replace: boolean;
  /** Why it is brought, where a mirror knows: it is new, or differs in that. */
  readonly change?: "new" | Difference;
  /** How often it has been started over, because the server's file had changed. */
  restarts: number;
  /** How often its content came wrong. */
  bad: number;
}

/** What the file of `order` becomes. */
export function publicationOf({ folder, name, replace, file }: Order): Publication {
  return { folder, name, replace, mtime: file.entry.mtime, etag: file.entry.etag };
}
