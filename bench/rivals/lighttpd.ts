/** Owns the rival lighttpd: one process, sendfile, no log. */
import { rivalOf } from "./program.ts";
import type { Rival } from "./rival.ts";

export const lighttpd: Rival = rivalOf({
  ...{ name: "lighttpd", door: "http", binary: "lighttpd", version: ["lighttpd", "-v"] },
  configured: "sendfile, stat cache, no log, 65535 requests a connection",
  configuration: ({ port, root }) => `
server.document-root = "${root}"
server.bind = "127.0.0.1"
server.port = ${port}
server.max-fds = 16384
server.listen-backlog = 4096
server.max-connections = 12000
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 60
server.network-backend = "sendfile"
server.stat-cache-engine = "simple"
mimetype.assign = ( "" => "application/octet-stream" )
`,
  command: ({ file }) => ["lighttpd", "-D", "-f", file],
});
