/**
 * Sockets that a service manager has made (sd_listen_fds(3)): they come as descriptors from 3 on,
 * listen already, and take the place of --bind and --port.
 */
import type { ListenPlace } from "../../server/listen.ts";
import { listeningAt } from "../../sys/processes.ts";
import { type Environment, UsageError } from "../flags/flags.ts";

const FIRST_FD = 3;

/** As many as a socket unit may reasonably name: each is looked at by each worker. */
const SOCKETS_MAX = 16;

/** The places of `environment`'s sockets; null: it names none for this process. */
export function activated(environment: Environment): ListenPlace[] | null {
  const { LISTEN_PID: pid, LISTEN_FDS: count = "" } = environment;
  if (pid !== String(process.pid) || !/^[1-9][0-9]{0,3}$/.test(count)) return null;
  if (Number(count) > SOCKETS_MAX) {
    throw new UsageError(`LISTEN_FDS: ${count} sockets are more than ${SOCKETS_MAX}`);
  }
  return Array.from({ length: Number(count) }, (_, nth) => {
    const fd = FIRST_FD + nth;
    const address = listeningAt(fd);
    if (address === null) {
      throw new UsageError(`LISTEN_FDS: descriptor ${fd} is no TCP socket that listens`);
    }
    return { ...address, sockets: [fd] };
  });
}
