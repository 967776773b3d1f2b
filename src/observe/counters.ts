/**
 * What the server has done since it started, as numbers: cheap to count, read by tests, PING and
 * later metrics.
 */

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
}
