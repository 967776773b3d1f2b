/**
 * What a service manager is told (sd_notify(3)): that the server serves, reloads, stops, and that
 * its loop turns. Without one that listens nothing is told. Never fails and never waits.
 */
import { datagramTo, monotonic } from "../../sys/processes.ts";
import { kernel } from "../../sys/kernel.ts";
import type { Environment } from "../flags/flags.ts";

/** A message to it. */
export class Notify {
  readonly #fd: number;
  readonly #watchdogMs: number;
  #timer: NodeJS.Timeout | null = null;

  /** By what `environment` says, as systemd sets it. Called before the wall: it makes a socket. */
  constructor(environment: Environment) {
    const path = environment["NOTIFY_SOCKET"] ?? "";
    this.#fd = /^[/@]./.test(path) ? datagramTo(path) : -1;
    const microseconds = Number(environment["WATCHDOG_USEC"] ?? "");
    const pid = environment["WATCHDOG_PID"] ?? "";
    const mine = pid === "" || pid === String(process.pid);
    this.#watchdogMs = mine && microseconds >= 2000 ? microseconds / 2000 : 0;
  }

  /** Whether there is one that listens. */
  get heard(): boolean {
    return this.#fd >= 0;
  }

  /** It serves. From now on it tells that `alive` says so, as often as it is asked to. */
  ready(status: string, alive: () => boolean = () => true): void {
    this.#tell(`READY=1\nSTATUS=${status}`);
    if (this.#watchdogMs === 0 || this.#fd < 0) return;
    this.#timer ??= setInterval(() => {
      if (alive()) this.#tell("WATCHDOG=1");
    }, this.#watchdogMs);
  }

  /** It reloads; ready() says when that is over, whatever came of it. */
  reloading(): void {
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${monotonic()}`);
  }

  stopping(): void {
    this.#tell("STOPPING=1");
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  // --- internal ---

  #tell(lines: string): void {
    if (this.#fd < 0) return;
    const message = Buffer.from(`${lines}\n`);
    kernel.write(this.#fd, message, message.length);
  }
}
