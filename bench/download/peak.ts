/**
 * Owns the peak memory of a process and its descendants, read while they run: what wait4(2) tells
 * of a child begins with the size of the parent that started it, here a whole Bun. Invariant: a sum
 * of each process's own peak, so pages that two share count twice.
 */
import { peakRssBytes, processTree } from "../proc.ts";

/** A peak stays readable until the process ends: only growth in its last moments is missed. */
const LOOK_MS = 10;

export class PeakWatch {
  readonly #root: number;
  readonly #peaks = new Map<number, number>();
  readonly #timer: Timer;

  constructor(root: number) {
    this.#root = root;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Ends the watch; returns the bytes. */
  stop(): number {
    this.#look();
    clearInterval(this.#timer);
    return this.#peaks.values().reduce((sum, bytes) => sum + bytes, 0);
  }

  #look(): void {
    for (const pid of treeOf(this.#root)) {
      try {
        const bytes = peakRssBytes([pid]);
        this.#peaks.set(pid, Math.max(bytes, this.#peaks.get(pid) ?? 0));
      } catch {
        // It ended between two looks; its last reading stays.
      }
    }
  }
}

function treeOf(root: number): number[] {
  try {
    return processTree(root);
  } catch {
    return [root];
  }
}
