/**
 * What the server has done since it started, as numbers: cheap to count, read by tests and by who
 * runs it (server/facts.ts).
 */
import { Durations } from "./durations.ts";

/** The doors that requests come by; "none" is of what was refused before there was one. */
export const DOOR_NAMES = ["s6", "plain", "http", "tls", "none"] as const;

/** What came by one door. */
export class DoorCounters {
  answered = 0;
  refused = 0;
  /** Replies that ended in RST. */
  reset = 0;
  /** Content bytes of replies. */
  bytes = 0;
  /**
   * From the event that brought a request to the one that ended its reply: what is answered within
   * its event took 0 ms.
   */
  readonly durations = new Durations();

  /** A request is over; `status` is as the log has it. */
  count(status: string, bytes: number, ms: number): void {
    if (status === "OK") this.answered += 1;
    else if (status === "RESET") this.reset += 1;
    else this.refused += 1;
    this.bytes += bytes;
    this.durations.add(ms);
  }
}

/** The counts of one server process. Only ever grow, but for `connections`. */
export class Counters {
  /** Connections open now. */
  connections = 0;
  accepted = 0;
  /** Connections refused for want of room. */
  shed = 0;
  /** Connections that waited for their peer and had to give way to a peer with fewer. */
  displaced = 0;
  requests = 0;
  /** Requests answered with an error. */
  refused = 0;
  /** Connections ended by RST because a promise could not be kept. */
  resets = 0;
  /** Peers cut for silence or for taking nothing. */
  timeouts = 0;
  /** Errors of our own that cost one connection. */
  crashes = 0;
  /** Milliseconds that the last sweep came late: how long the loop was busy with something else. */
  lagMs = 0;
  /** The longest of them. */
  lagMsMax = 0;
  readonly doors: Readonly<Record<string, DoorCounters>> = Object.fromEntries(
    DOOR_NAMES.map((name) => [name, new DoorCounters()]),
  );
}
