/** Owns the rival Caddy: its file server as it comes, held to one core, as all others are. */
import { rivalOf } from "./program.ts";
import type { Rival } from "./rival.ts";

export const caddy: Rival = rivalOf({
  ...{ name: "caddy", door: "http", binary: "caddy", version: ["caddy", "version"] },
  configured: "file-server, GOMAXPROCS=1, no log",
  command: ({ port, root, folder }) => [
    ...["env", "GOMAXPROCS=1", `HOME=${folder}`, `XDG_DATA_HOME=${folder}`],
    ...["caddy", "file-server", "--root", root, "--listen", `127.0.0.1:${port}`],
  ],
});
