/**
 * The snapshots of a store, by folder, so that the pages of one walk and of all walks beside it
 * read a wide folder once. What may be old, and for how long, is decided here:
 *
 *   the begin of a walk    shows what is there when it is asked for: only a snapshot of the folder
 *                          as it is now will do; so does any after= that no page ended with
 *   what follows a page    may be of a snapshot up to AGE_MAX_MS old, though the folder has
 *                          changed: else a folder that changes all the time is read for each page
 *
 * A name that is there all the time is in every snapshot, and after= goes by bytes: it comes once,
 * whichever snapshots a walk meets.
 */
import type { FileStat } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Snapshot } from "./snapshot.ts";

/** A walk goes on in names so old at most, in milliseconds. */
export const AGE_MAX_MS = 30_000;

/** A snapshot that no page used for so long is let go, in milliseconds. */
export const UNUSED_MAX_MS = 10_000;

/** Snapshots held. */
export const SNAPSHOTS_MAX = 64;

/** Bytes of names held for walks to come, beside those that pages are being made of. */
export const HELD_BYTES_MAX = 64 * 1024 * 1024;

/** Made at once: each takes up to twice SNAPSHOT_BYTES_MAX while it is merged. */
export const MAKING_MAX = 2;

/** What a page is made of. */
export interface Wish {
  /** The folder, relative to the root. */
  readonly folder: ByteString;
  /** The folder, open; the caller's. */
  readonly fd: number;
  /** What it is now. */
  readonly stat: FileStat;
  /** Behind which name; "" from the start. */
  readonly after: ByteString;
  readonly allows: (name: ByteString) => boolean;
}

/** The table. Pages being made keep what they use beyond it. */
export class Snapshots {
  readonly #byFolder = new Map<ByteString, Snapshot>();
  #making = 0;

  /** Snapshots held. */
  get held(): number {
    return this.#byFolder.size;
  }

  /** True when the names of `folder` were read a short time ago. */
  has(folder: ByteString): boolean {
    return this.#byFolder.has(folder);
  }

  /**
   * The snapshot for `wish`, to be given back by release(); null: too many are being made, ask
   * again in the next step. `now` is clock.now.
   */
  take(wish: Wish, now: number): Snapshot | null {
    const known = this.#byFolder.get(wish.folder);
    const use =
      known !== undefined && this.#serves(known, wish, now) ? known : this.#make(wish, now);
    if (use === null) return null;
    use.users += 1;
    use.usedAt = now;
    return use;
  }

  /** Makes a step of `snapshot`, one that take() gave. */
  step(snapshot: Snapshot): void {
    if (!snapshot.making) return;
    snapshot.step();
    if (!snapshot.making) this.#making -= 1;
  }

  /** A page does not need `snapshot` any more. */
  release(snapshot: Snapshot): void {
    snapshot.users -= 1;
    if (snapshot.users > 0) return;
    const held = [...this.#byFolder].find(([, other]) => other === snapshot);
    if (held !== undefined && snapshot.state === "ready") this.#trim();
    // What nobody waits for is not made to its end, and what failed is tried again.
    else if (snapshot.state !== "too wide" || held === undefined) {
      if (held !== undefined) this.#byFolder.delete(held[0]);
      this.#close(snapshot);
    }
  }

  /** Called about once a second: lets go of what is old or was not used for a while. */
  sweep(now: number): void {
    for (const [folder, snapshot] of this.#byFolder) {
      const old = now - snapshot.since > AGE_MAX_MS || now - snapshot.usedAt > UNUSED_MAX_MS;
      if (old) this.#drop(folder, snapshot);
    }
  }

  /** Lets go of all that no page uses. */
  clear(): void {
    for (const [folder, snapshot] of this.#byFolder) this.#drop(folder, snapshot);
  }

  // --- internal ---

  #serves(known: Snapshot, { stat, after }: Wish, now: number): boolean {
    if (typeof known.state === "number" || now - known.since > AGE_MAX_MS) return false;
    if (known.fits(stat)) return true;
    return known.hasEnd(after) && known.stat.ino === stat.ino && known.stat.dev === stat.dev;
  }

  #make({ folder, fd, allows }: Wish, now: number): Snapshot | null {
    if (this.#making >= MAKING_MAX) return null;
    const old = this.#byFolder.get(folder);
    if (old !== undefined) this.#drop(folder, old);
    const snapshot = new Snapshot(fd, now, allows);
    if (old !== undefined) snapshot.adoptEnds(old);
    if (snapshot.making) this.#making += 1;
    this.#byFolder.set(folder, snapshot);
    this.#trim();
    return snapshot;
  }

  /** Lets go of the oldest until the rest is within its bounds. */
  #trim(): void {
    let bytes = 0;
    for (const snapshot of this.#byFolder.values()) bytes += snapshot.bytes;
    for (const [folder, snapshot] of this.#byFolder) {
      if (bytes <= HELD_BYTES_MAX && this.#byFolder.size <= SNAPSHOTS_MAX) return;
      if (snapshot.users > 0) continue;
      bytes -= snapshot.bytes;
      this.#drop(folder, snapshot);
    }
  }

  /** No page to come finds it; those that use it keep it. */
  #drop(folder: ByteString, snapshot: Snapshot): void {
    this.#byFolder.delete(folder);
    if (snapshot.users === 0) this.#close(snapshot);
  }

  #close(snapshot: Snapshot): void {
    if (snapshot.making) this.#making -= 1;
    snapshot.close();
  }
}
