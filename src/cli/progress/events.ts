/**
 * Progress for programs (`--progress json`): one JSON object a line, with exact byte counts, in
 * ASCII only, so that no file name can put a control character or a bidi override into the output.
 *
 * It never waits for its reader: a reader that is too slow loses whole lines, never a part of one,
 * and the last line says how many.
 */
import type { FileProgress, Progress } from "../../download/progress.ts";
import { averageOf } from "../output/amount.ts";
import type { Measurement } from "./meter.ts";
import { NonBlockingOutput } from "../output/nonblocking.ts";

/** Milliseconds between two samples of the progress: so late may a file's end be reported. */
const SAMPLE_MS = 100;

/** Milliseconds between two "progress" lines: what a person who reads them can follow. */
const REPORT_MS = 1000;

/** Milliseconds that the end of the program waits for a reader that takes nothing. */
const DRAIN_MS = 1000;

/** The events of one command: "start" at once, "end" at stop(). */
export class Events {
  readonly #output: NonBlockingOutput;
  readonly #progress: Progress;
  readonly #measure: () => Measurement;
  readonly #timer: NodeJS.Timeout;
  readonly #running = new Set<FileProgress>();
  /** Files whose end has been reported. */
  readonly #reported = new WeakSet<FileProgress>();
  #reportedMs = 0;
  #stopped = false;

  /** `measure` reads the meter now. The timer does not keep the process alive. */
  constructor(fd: number, progress: Progress, measure: () => Measurement) {
    this.#output = new NonBlockingOutput(fd);
    this.#progress = progress;
    this.#measure = measure;
    this.#numbers("start", measure(), null);
    this.#timer = setInterval(() => this.tick(), SAMPLE_MS).unref();
  }

  /** {"event":"message"}: a line that would stand above the bar. */
  say(line: string): void {
    this.#output.push(`${messageLine(line)}\n`);
  }

  /** {"event":"file"}: once for each file, when it is done or has failed. */
  ended(file: FileProgress): void {
    this.#running.delete(file);
    if (this.#reported.has(file)) return;
    this.#reported.add(file);
    const { name, state, size, arrived, received, kept, reused, verified } = file;
    const shares = file.sources.map((source) => ({
      ...{ server: source.server, received: source.received, left: source.left },
      bytesPerSecond: Math.round(source.bytesPerSecond),
    }));
    const numbers = { name, state, size, arrived, received, kept, reused, verified };
    this.#line({ event: "file", ...numbers, ...(shares.length > 0 && { sources: shares }) });
  }

  /** Takes a sample of the progress and writes what is due. */
  tick(): void {
    if (this.#stopped) return;
    this.#output.flush();
    const measurement = this.#measure();
    this.#reportEnded();
    if (measurement.elapsedMs - this.#reportedMs < REPORT_MS) return;
    this.#reportedMs = measurement.elapsedMs;
    this.#numbers("progress", measurement, null);
  }

  /** Writes the files that ended last, the message `last`, and "end". */
  stop(last?: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    const measurement = this.#measure();
    this.#reportEnded();
    if (last !== undefined) this.say(last);
    const average = averageOf(this.#progress.received, measurement.elapsedMs);
    // First the earlier lines drain, so that "end" can say how many were lost; both share the time.
    const endMs = performance.now() + DRAIN_MS;
    this.#output.drain(endMs);
    this.#numbers("end", measurement, average);
    this.#output.drain(endMs);
    this.#output[Symbol.dispose]();
  }

  // --- internal ---

  #reportEnded(): void {
    for (const file of this.#progress.running) this.#running.add(file);
    for (const file of this.#running) {
      if (file.state === "done" || file.state === "failed") this.ended(file);
    }
  }

  /** Sums are in bytes. `average` replaces the speed of the last moments. */
  #numbers(
    event: "start" | "progress" | "end",
    measurement: Measurement,
    average: number | null,
  ): void {
    const { files, done, failed, unchanged, bytes, totalKnown } = this.#progress;
    const { arrived, received, kept, reused, verified } = this.#progress;
    this.#line({
      event,
      elapsedMs: Math.round(measurement.elapsedMs),
      ...{ files, done, failed, unchanged },
      ...{ bytes, totalKnown, arrived, received, kept, reused, verified },
      bytesPerSecond: Math.round(average ?? measurement.speed),
      stalled: measurement.stalled,
      etaMs: measurement.etaMs === null ? null : Math.round(measurement.etaMs),
      running: this.#progress.running.size,
      lost: this.#output.dropped,
    });
  }

  #line(fields: Record<string, unknown>): void {
    this.#output.push(`${asciiJson(fields)}\n`);
  }
}

/** A "message" line without its line feed: for messages after stop(). */
export function messageLine(message: string): string {
  return asciiJson({ event: "message", message });
}

/** `value` as JSON in which everything but printable ASCII is escaped. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[^\x20-\x7e]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
