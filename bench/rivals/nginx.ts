/**
 * Owns the rival nginx: one worker, everything that costs time switched off. Two variants without
 * TLS, because none is best for all: sendfile with tcp_nopush from 16 KiB on and for pipelined
 * requests (which it joins), plain reads for 1 KiB one at a time (two system calls fewer, a tenth
 * to a fifth faster).
 * After tcp_nopush nginx leaves Nagle's algorithm on: once a connection is late, each reply waits
 * for the acknowledgement that comes with the next request. An open loop shows it, at the rate of
 * one connection (1.6 ms for 40,000 a second on 64); plain reads are free of it.
 */
import { certificateFile } from "../certificate.ts";
import { tlsMissing } from "../load/tls.ts";
import { type Place, rivalOf } from "./program.ts";
import type { Rival } from "./rival.ts";

type Variant = "sendfile" | "read" | "tls";

const SENDING: Readonly<Record<Variant, string>> = {
  sendfile: "sendfile on; tcp_nopush on;",
  read: "sendfile off; tcp_nopush off; output_buffers 2 64k;",
  // Without kernel TLS, which ours has not either: what is sent is read first.
  tls: "sendfile off; tcp_nopush off; output_buffers 2 256k;",
};

const COMMON = "1 worker, open_file_cache 1h, access_log off, keepalive_requests 1e9, multi_accept";

export const nginx: Rival = variant("nginx", "sendfile");
export const nginxRead: Rival = variant("nginx-read", "read");
export const nginxTls: Rival = byTls(variant("nginx-tls", "tls"));

/** The same with as many workers, each with a socket of its own. */
export function nginxOf(workers: number, sending: "sendfile" | "read"): Rival {
  return rivalOf({
    ...{ name: `nginx x${workers}`, family: "nginx", door: "http", binary: "nginx" },
    version: ["nginx", "-v"],
    configured: `${workers} workers, reuseport, else as ${sending === "read" ? "nginx-read" : "nginx"}`,
    configuration: (place) =>
      configuration(sending, place)
        .replace("worker_processes 1;", `worker_processes ${workers};`)
        .replace("backlog=4096", "backlog=4096 reuseport"),
    command: ({ folder, file }) => ["nginx", "-e", "stderr", "-p", folder, "-c", file],
  });
}

/** One process of this user's in front, whose files are in `folder`. */
export function nginxOwn(folder: string): string {
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `${user} worker_processes 1; daemon off; pid "${folder}/pid"; error_log stderr crit;`;
}

/** Inside "http": all files are bytes, and what nginx may have to store is in `folder`. */
export function nginxPlain(folder: string): string {
  const stores = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = stores.map((name) => `${name}_temp_path "${folder}/${name}";`);
  return `types {} default_type application/octet-stream; ${paths.join(" ")}`;
}

// --- internal ---

function variant(name: string, sending: Variant): Rival {
  return rivalOf({
    ...{ name, family: "nginx", door: sending === "tls" ? "https" : "http" },
    ...{ binary: "nginx", version: ["nginx", "-v"] },
    configured: `${COMMON}, ${SENDING[sending].replaceAll(";", ",").replace(/,$/, "")}`,
    configuration: (place) => configuration(sending, place),
    command: ({ folder, file }) => ["nginx", "-e", "stderr", "-p", folder, "-c", file],
  });
}

/** Without TLS in the load generator nobody can ask it. */
function byTls(rival: Rival): Rival {
  return { ...rival, unavailable: () => rival.unavailable() ?? tlsMissing() };
}

/** The whole configuration file. */
function configuration(sending: Variant, { root, folder, port }: Place): string {
  const { listen, settings } = sending === "tls" ? secured() : { listen: "", settings: "" };
  return `
${nginxOwn(folder)}
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
  ${nginxPlain(folder)}
  ${settings}
  server { listen 127.0.0.1:${port} backlog=4096${listen}; root "${root}"; }
}
`;
}

/** The suites that the load generator asks for, and no sessions: it keeps none either. */
function secured(): { listen: string; settings: string } {
  const file = certificateFile();
  return {
    listen: " ssl",
    settings: `ssl_certificate "${file}"; ssl_certificate_key "${file}";
  ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;
  ssl_session_cache off;`,
  };
}
