/**
 * Progress for programs: one JSON object a line, exact byte counts, in ASCII only, so that no
 * control character and no text that turns direction gets out whatever a file is called. Lines are
 * whole or not there at all; a reader that is too slow loses some, and the transfer does not wait.
 */
import type { FileTally, Tally } from "../../download/progress.ts";
import { averageOf } from "../output/amount.ts";
import type { Reading } from "./meter.ts";
import { NonBlockingOutput } from "../output/nonblocking.ts";

/** Milliseconds between two looks at the tally; files that end within one are told after it. */
const LOOK_MS = 100;

/** Milliseconds between two "progress" lines. */
const TELL_MS = 1000;

/** Milliseconds that a reader who does not read may hold up the program's end. */
const DRAIN_MS = 1000;

/** The events of one command: "start" at once, "end" at stop(). */
export class Events {
  readonly #outlet: NonBlockingOutput;
  readonly #tally: Tally;
  readonly #look: () => Reading;
  readonly #timer: NodeJS.Timeout;
  readonly #running = new Set<FileTally>();
  readonly #told = new WeakSet<FileTally>();
  #toldMs = 0;
  #stopped = false;

  /** `look` measures at this moment. The timer keeps no program running. */
  constructor(fd: number, tally: Tally, look: () => Reading) {
    this.#outlet = new NonBlockingOutput(fd);
    this.#tally = tally;
    this.#look = look;
    this.#numbers("start", look(), null);
    this.#timer = setInterval(() => this.tick(), LOOK_MS).unref();
  }

  /** {"event":"message"}: what a person would read above the bar. */
  say(line: string): void {
    this.#outlet.push(`${messageLine(line)}\n`);
  }

  /** {"event":"file"}, once a file, when it is done or has failed. */
  ended(file: FileTally): void {
    this.#running.delete(file);
    if (this.#told.has(file)) return;
    this.#told.add(file);
    const { name, state, size, arrived, received, kept, verified } = file;
    this.#line({ event: "file", name, state, size, arrived, received, kept, verified });
  }

  /** Looks at the tally and tells what is due. */
  tick(): void {
    if (this.#stopped) return;
    this.#outlet.flush();
    const reading = this.#look();
    this.#news();
    if (reading.elapsedMs - this.#toldMs < TELL_MS) return;
    this.#toldMs = reading.elapsedMs;
    this.#numbers("progress", reading, null);
  }

  /** Tells the last files, the message `last` and the end. */
  stop(last?: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    const reading = this.#look();
    this.#news();
    if (last !== undefined) this.say(last);
    const average = averageOf(this.#tally.received, reading.elapsedMs);
    // What is lost is known when the time is over, or all is out: the end has what is left of it.
    const endMs = performance.now() + DRAIN_MS;
    this.#outlet.drain(endMs);
    this.#numbers("end", reading, average);
    this.#outlet.drain(endMs);
    this.#outlet[Symbol.dispose]();
  }

  // --- internal ---

  #news(): void {
    for (const file of this.#tally.running) this.#running.add(file);
    for (const file of this.#running) {
      if (file.state === "done" || file.state === "failed") this.ended(file);
    }
  }

  /** All sums in bytes; `average` in place of the last moments' speed. */
  #numbers(event: "start" | "progress" | "end", reading: Reading, average: number | null): void {
    const { files, done, failed, unchanged, bytes, totalKnown } = this.#tally;
    const { arrived, received, kept, verified } = this.#tally;
    this.#line({
      event,
      elapsedMs: Math.round(reading.elapsedMs),
      ...{ files, done, failed, unchanged },
      ...{ bytes, totalKnown, arrived, received, kept, verified },
      bytesPerSecond: Math.round(average ?? reading.speed),
      stalled: reading.stalled,
      etaMs: reading.etaMs === null ? null : Math.round(reading.etaMs),
      running: this.#tally.running.size,
      lost: this.#outlet.dropped,
    });
  }

  #line(fields: Record<string, unknown>): void {
    this.#outlet.push(`${asciiJson(fields)}\n`);
  }
}

/** A message as a line of the same kind, without its end: for what is said after stop(). */
export function messageLine(message: string): string {
  return asciiJson({ event: "message", message });
}

/** `value` as JSON in which everything but printable ASCII is escaped. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[^\x20-\x7e]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
