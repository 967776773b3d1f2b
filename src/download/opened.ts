/**
 * The folder here that files are brought into, with its staging folder: opened together, closed
 * together, whatever happens in between.
 */
import { Folder } from "../destination/folder.ts";
import { Staging } from "../destination/staging.ts";
import type { ByteString } from "../wire/bytes.ts";

/** An open destination (`using` closes it). What is staged in it stays for the next run. */
export class OpenDestination implements Disposable {
  readonly folder: Folder;
  readonly staging: Staging;

  private constructor(folder: Folder, staging: Staging) {
    this.folder = folder;
    this.staging = staging;
  }

  /**
   * Opens the folder `path`, made when it is missing; `alone` keeps every other program out of its
   * staging. Throws LocalError (EBUSY when another is there), with nothing left open.
   */
  static open(path: ByteString, alone: boolean): OpenDestination {
    return OpenDestination.in(Folder.open(path, true), alone);
  }

  /** The same in `folder`, which it closes, also when it throws. */
  static in(folder: Folder, alone: boolean): OpenDestination {
    let staging: Staging | null = null;
    try {
      staging = Staging.open(folder);
      if (alone) staging.lock();
      return new OpenDestination(folder, staging);
    } catch (error) {
      staging?.close();
      folder.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.staging.close();
    this.folder.close();
  }
}
