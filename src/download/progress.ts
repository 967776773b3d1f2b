/**
 * The progress of one command: numbers that are written where bytes move and read by whoever shows
 * them. There are no callbacks and there is no clock: a display reads the numbers when it likes,
 * and what moves bytes never waits for a display.
 *
 * Invariant: a file's bytes are counted in one call, for the file and for its command together, so
 * the command's sums are the sums of its files.
 */
import { printable } from "../wire/printable.ts";
import type { Order } from "./order.ts";

/** What becomes of a file. */
export type FileState = "waiting" | "running" | "done" | "failed";

/** One file on its way, as a display reads it. All counts are in bytes. */
export interface FileProgress {
  /** The target's path here: printable. */
  readonly name: string;
  readonly state: FileState;
  /** Bytes of the whole file; 0 where a server of HTTP does not tell before the last one. */
  readonly size: number;
  /** Bytes that this run received, those that were bad and fetched again included. */
  readonly received: number;
  /** Bytes in place that an earlier run had brought. */
  readonly kept: number;
  /** Bytes in place that were taken from the file that is replaced. */
  readonly reused: number;
  /** Bytes in place whose digests were compared: kept, reused and received ones. */
  readonly verified: number;
  /** Bytes in place: what is left is `size - arrived`. It falls when a chunk turns out bad. */
  readonly arrived: number;
  /** Connections that bring the file just now. */
  readonly connections: number;
  /** Who brings it, where that is more than one server; else none. */
  readonly sources: readonly SourceProgress[];
}

/** One of several servers that bring a file. */
export interface SourceProgress {
  /** As "s6://host:port": printable, and without secrets. */
  readonly server: string;
  /** Bytes that it has brought, wrong ones included, and how many a second of its time. */
  readonly received: number;
  readonly bytesPerSecond: number;
  /** True when it was left out: it has other content, sent wrong bytes, or was lost. */
  readonly left: boolean;
}

/** All files of one command. */
export class Progress {
  /** Files to bring, as far as known; `totalKnown` tells whether more may turn up. */
  files = 0;
  /** Their bytes. */
  bytes = 0;
  /** False while a listing still goes on. */
  totalKnown = false;
  /** Files that need nothing: they were complete before. */
  unchanged = 0;
  done = 0;
  failed = 0;
  /** Sums over all files, as in FileProgress: attempts that failed count in `received` alone. */
  received = 0;
  kept = 0;
  reused = 0;
  verified = 0;
  arrived = 0;
  /** Large files under way, in the order they began. A display gives each a line. */
  readonly running = new Set<FileProgress>();
  /** Bytes by server, as "s6://host:port", of files that more than one could bring. */
  readonly bySource = new Map<string, number>();
}

/**
 * The counter of one attempt to bring one file. Every count is added to the file's numbers and to
 * the command's. An attempt ends with succeed() or abandon(); a file that is given up with fail().
 */
export class FileCounter implements FileProgress {
  /** Set again where it was not known before the last byte. */
  size: number;
  state: FileState = "waiting";
  received = 0;
  kept = 0;
  reused = 0;
  verified = 0;
  arrived = 0;
  connections = 0;
  sources: readonly SourceProgress[] = [];
  readonly #command: Progress;
  readonly #order: Order;
  /** The command's sums by source have this attempt. */
  #summed = false;

  constructor(command: Progress, order: Order) {
    this.#command = command;
    this.#order = order;
    this.size = Number(order.file.entry.size);
  }

  /** Computed when it is read: most small files are never shown by name. */
  get name(): string {
    return printable(this.#order.folder.pathOf(this.#order.name));
  }

  /** The file is under way and gets a line of its own. */
  begin(): void {
    this.state = "running";
    this.#command.running.add(this);
  }

  /** `bytes` came. */
  receive(bytes: number): void {
    this.received += bytes;
    this.#command.received += bytes;
  }

  /** `bytes` are in place; fewer than none when bytes that were turned out bad. */
  place(bytes: number): void {
    this.arrived += bytes;
    this.#command.arrived += bytes;
  }

  /**
   * Of the bytes in place `bytes` were here when the attempt began: an earlier run's. When the file
   * is started over nobody knows which of them this run has brought, and none are told as kept.
   */
  keep(bytes: number): void {
    if (this.#order.restarts > 0) return;
    this.kept += bytes;
    this.#command.kept += bytes;
  }

  /** Of the bytes in place `bytes` are of the file that is replaced. */
  reuse(bytes: number): void {
    this.reused += bytes;
    this.#command.reused += bytes;
  }

  /** `bytes` were compared with the server's digest and are right. */
  verify(bytes: number): void {
    this.verified += bytes;
    this.#command.verified += bytes;
  }

  /** Nothing that is in place is believed any more: all of it comes anew. */
  startOver(): void {
    this.place(-this.arrived);
    this.keep(-this.kept);
  }

  /** The file has its name. */
  succeed(): void {
    this.#end("done");
    this.#command.done += 1;
  }

  /**
   * The attempt failed. The command's sums lose what it had in place; the file's numbers stay, for
   * whoever shows them.
   */
  abandon(): void {
    this.#end("waiting");
    this.#command.arrived -= this.arrived;
    this.#command.kept -= this.kept;
    this.#command.reused -= this.reused;
    this.#command.verified -= this.verified;
  }

  /** The file is given up: there is no attempt under way, and none to come. */
  fail(): void {
    this.#end("failed");
    this.#command.failed += 1;
  }

  // --- internal ---

  #end(state: FileState): void {
    this.state = state;
    this.#command.running.delete(this);
    if (this.#summed) return;
    this.#summed = true;
    const { bySource } = this.#command;
    for (const { server, received } of this.sources) {
      bySource.set(server, (bySource.get(server) ?? 0) + received);
    }
  }
}
