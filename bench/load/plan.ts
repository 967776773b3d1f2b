/**
 * Owns what the benchmark and its load processes say to each other: a plan as the only argument,
 * the word "ready" out, the word "go" in, one JSON line out. Never runs anything.
 * Invariant: both are plain JSON, so that a load process may be started by hand.
 */
import type { DoorName } from "./door.ts";
import type { HistogramData } from "./histogram.ts";

export interface LoadPlan {
  readonly door: DoorName;
  readonly port: number;
  readonly path: string;
  readonly bodyLength: number;
  readonly connections: number;
  /** Requests in flight on each connection; in an open loop there are as many as are due. */
  readonly depth: number;
  /**
   * Open loop: so many requests a second are due, evenly, whatever becomes of those before, and a
   * latency counts from when its request was due. Null: closed loop, the next follows a reply.
   */
  readonly ratePerSecond: number | null;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** The server's processes, whose CPU time is read at both ends of the measured window. */
  readonly serverPids: readonly number[];
}

export interface LoadResult {
  /** Length of the measured window. */
  readonly seconds: number;
  /** Replies completed in the window. */
  readonly requests: number;
  /** Body bytes received in the window, those of incomplete replies included. */
  readonly bodyBytes: number;
  /** CPU seconds in the window. */
  readonly serverCpuSeconds: number;
  readonly loadCpuSeconds: number;
  /** CPU seconds of the whole machine in the window, server and load included. */
  readonly machineCpuSeconds: number;
  /**
   * Nanoseconds from request to the end of its reply. An open loop adds what was due and had no
   * reply at the end of the window, with the time it had waited.
   */
  readonly latency: HistogramData;
  /** Open loop: nanoseconds by which requests were sent later than they were due. */
  readonly lateness: HistogramData;
}

/** What a load process prints last: the result, or why there is none. */
export type LoadReport = { readonly result: LoadResult } | { readonly error: string };
