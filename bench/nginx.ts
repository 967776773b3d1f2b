/**
 * Owns the rival nginx: one worker, everything that costs time switched off. Two variants, because
 * none is best for all: sendfile with tcp_nopush from 16 KiB on and for pipelined requests (which
 * it joins), plain reads for 1 KiB one at a time (two system calls fewer, 10 to 20 % faster).
 * Never uses a configuration of the machine's own.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Rival } from "./rival.ts";
import { freePort, type RunningServer, startServer } from "./spawn.ts";
import { temporaryFolder } from "./temporary.ts";

/** The free port found may be taken by another before nginx binds it. */
const START_TRIES_MAX = 3;

type Variant = "sendfile" | "read";

const SENDING: Readonly<Record<Variant, string>> = {
  sendfile: "sendfile on; tcp_nopush on;",
  read: "sendfile off; tcp_nopush off; output_buffers 2 64k;",
};

const COMMON = "1 worker, open_file_cache 1h, access_log off, keepalive_requests 1e9, multi_accept";

export const nginx: Rival = rival("nginx", "sendfile");
export const nginxRead: Rival = rival("nginx-read", "read");

// --- internal ---

function rival(name: string, variant: Variant): Rival {
  return {
    name,
    family: "nginx",
    door: "http",
    about: `${version()}: ${COMMON}, ${SENDING[variant].replaceAll(";", ",").replace(/,$/, "")}`,
    unavailable: () => (Bun.which("nginx") === null ? "nginx is not installed" : null),
    start: (root) => start(variant, root),
  };
}

async function start(variant: Variant, root: string): Promise<RunningServer> {
  const folder = temporaryFolder();
  const file = join(folder.path, "nginx.conf");
  const command = ["nginx", "-e", "stderr", "-p", folder.path, "-c", file];
  for (let tries = 1; ; tries++) {
    const port = freePort();
    writeFileSync(file, configuration(variant, root, folder.path, port));
    try {
      const server = await startServer(command, port);
      return { ...server, stop: () => server.stop().finally(folder.remove) };
    } catch (error) {
      if (tries < START_TRIES_MAX) continue;
      folder.remove();
      throw error;
    }
  }
}

/** The whole configuration file. */
function configuration(variant: Variant, root: string, folder: string, port: number): string {
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
  ${SENDING[variant]}
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

function version(): string {
  if (Bun.which("nginx") === null) return "nginx";
  const text = Bun.spawnSync(["nginx", "-v"]).stderr.toString();
  return /nginx\/[\d.]+/.exec(text)?.[0] ?? "nginx";
}
