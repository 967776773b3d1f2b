/** nginx as it comes, serving the folder of the table: it lists folders and hides hidden names. */
import { rivalOf } from "../../../../bench/rivals/program.ts";

/** Start it with `start(root)`; `unavailable()` tells why that can't be. */
export const NGINX = rivalOf({
  ...{ name: "nginx", door: "http", binary: "nginx", version: ["nginx", "-v"] },
  configured: "autoindex on",
  configuration: ({ root, folder, port }) => `
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes 1;
daemon off;
pid "${folder}/pid";
error_log stderr crit;
events { worker_connections 64; }
http {
  access_log off;
  types {}
  default_type application/octet-stream;
  client_body_temp_path "${folder}/body";
  proxy_temp_path "${folder}/proxy";
  fastcgi_temp_path "${folder}/fastcgi";
  uwsgi_temp_path "${folder}/uwsgi";
  scgi_temp_path "${folder}/scgi";
  server { listen 127.0.0.1:${port}; root "${root}"; autoindex on; location ~ /\\. { return 404; } }
}
`,
  command: ({ folder, file }) => ["nginx", "-e", "stderr", "-p", folder, "-c", file],
});
