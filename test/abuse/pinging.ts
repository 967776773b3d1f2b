/**
 * The pinging client (pinger.ts) as its parent sees it: a process that is started, told when to
 * count, and asked for what it saw.
 */
import { Histogram } from "../../bench/load/histogram.ts";
import type { Pings } from "./pinger.ts";

const MS = 1e6;

/** What the round trips of PING were. Milliseconds. */
export interface PingSummary {
  readonly pings: number;
  readonly pingP50: number;
  readonly pingP99: number;
  readonly pingMax: number;
  readonly pingsLost: number;
  readonly pingsWrong: string | null;
}

/** The process of pinger.ts. */
export class PingingProcess {
  /** It has its first reply. */
  readonly ready: Promise<void>;
  readonly #process: Bun.Subprocess<"ignore", "ignore", "inherit">;
  #told: (pings: Pings) => void = () => {};

  /** It comes from `address`, one of this machine; `wrap` stands in front of its command. */
  constructor(port: number, address = "127.0.0.1", wrap: readonly string[] = []) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    const pinger = `${import.meta.dir}/pinger.ts`;
    this.#process = Bun.spawn([...wrap, process.execPath, pinger, String(port), address], {
      ...{ stdin: "ignore", stdout: "ignore", stderr: "inherit" },
      ipc: (message: "ready" | Pings) => (message === "ready" ? resolve() : this.#told(message)),
    });
  }

  start(): void {
    this.#process.send("start");
  }

  stop(): Promise<PingSummary> {
    return new Promise((resolve) => {
      this.#told = (pings) => resolve(summaryOf(pings));
      this.#process.send("stop");
    });
  }

  end(): void {
    this.#process.kill("SIGKILL");
  }
}

// --- internal ---

function summaryOf({ histogram, lost, wrong }: Pings): PingSummary {
  const all = new Histogram();
  all.merge(histogram);
  const ms = (fraction: number): number => all.quantile(fraction) / MS;
  return {
    ...{ pings: all.count, pingP50: ms(0.5), pingP99: ms(0.99), pingMax: ms(1) },
    ...{ pingsLost: lost, pingsWrong: wrong },
  };
}
