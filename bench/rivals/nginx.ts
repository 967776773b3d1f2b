/**
 * Owns the rival nginx: one worker, everything that costs time switched off. Two variants, because
 * none is best for all: sendfile with tcp_nopush from 16 KiB on and for pipelined requests (which
 * it joins), plain reads for 1 KiB one at a time (two system calls fewer, 10 to 20 % faster).
 * After tcp_nopush nginx leaves Nagle's algorithm on: once a connection is late, each reply waits
 * for the acknowledgement that comes with the next request. An open loop shows it, at the rate of
 * one connection (1.6 ms for 40,000 a second on 64); plain reads are free of it.
 */
import { type Place, rivalOf } from "./program.ts";
import type { Rival } from "./rival.ts";

type Variant = "sendfile" | "read";

const SENDING: Readonly<Record<Variant, string>> = {
  sendfile: "sendfile on; tcp_nopush on;",
  read: "sendfile off; tcp_nopush off; output_buffers 2 64k;",
};

const COMMON = "1 worker, open_file_cache 1h, access_log off, keepalive_requests 1e9, multi_accept";

export const nginx: Rival = variant("nginx", "sendfile");
export const nginxRead: Rival = variant("nginx-read", "read");

// --- internal ---

function variant(name: string, sending: Variant): Rival {
  return rivalOf({
    ...{ name, family: "nginx", door: "http", binary: "nginx", version: ["nginx", "-v"] },
    configured: `${COMMON}, ${SENDING[sending].replaceAll(";", ",").replace(/,$/, "")}`,
    configuration: (place) => configuration(sending, place),
    command: ({ folder, file }) => ["nginx", "-e", "stderr", "-p", folder, "-c", file],
  });
}

/** The whole configuration file. */
function configuration(sending: Variant, { root, folder, port }: Place): string {
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `${user}
worker_processes 1;
daemon off;
pid "${folder}/pid";
error_log stderr crit;
events { worker_connections 16384; multi_accept on; }
http {
  access_log off;
  log_not_found off;
  server_tokens off;
  open_file_cache max=1000 inactive=1h;
  open_file_cache_valid 1h;
  open_file_cache_min_uses 1;
  open_file_cache_errors on;
  ${SENDING[sending]}
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  types {}
  default_type application/octet-stream;
  client_body_temp_path "${folder}/body";
  proxy_temp_path "${folder}/proxy";
  fastcgi_temp_path "${folder}/fastcgi";
  uwsgi_temp_path "${folder}/uwsgi";
  scgi_temp_path "${folder}/scgi";
  server { listen 127.0.0.1:${port} backlog=4096; root "${root}"; }
}
`;
}
