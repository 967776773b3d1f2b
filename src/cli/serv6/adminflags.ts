/** The flag of who runs the server: where it tells of itself. */
import type { ServeOptions } from "../../server/start.ts";
import { parseServer } from "../../client/address.ts";
import type { Values } from "../flags/flags.ts";
import { parsed } from "../flags/values.ts";

/** Part of the table of serv6. */
export const ADMIN_FLAGS = {
  "admin-bind": {
    type: "string",
    group: "Where",
    valueHint: "host:port",
    reader: parsed("HOST:PORT, the port not 0", withPort),
    description: "serve /-/metrics, /-/health and /-/ there; default: to this machine, by HTTP",
  },
} as const;

/** What it means. */
export function adminOf(values: Values<typeof ADMIN_FLAGS>): Pick<ServeOptions, "adminAddress"> {
  const address = values["admin-bind"];
  return address === undefined ? {} : { adminAddress: { host: address.host, port: address.port } };
}

// --- internal ---

/** Without a port it would be that of the files, on which it must not be. */
function withPort(text: string): ReturnType<typeof parseServer> {
  if (!/^(?:\[[^\]]*\]|[^:[\]]*):[0-9]+$/.test(text)) throw new Error("no port");
  return parseServer(text);
}
