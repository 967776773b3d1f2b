/** nginx as it comes, serving the folder of the table: it lists folders and hides hidden names. */
import { nginxOwn, nginxPlain } from "../../../../bench/rivals/nginx.ts";
import { rivalOf } from "../../../../bench/rivals/program.ts";

/** Start it with `start(root)`; `unavailable()` tells why that can't be. */
export const NGINX = rivalOf({
  ...{ name: "nginx", door: "http", binary: "nginx", version: ["nginx", "-v"] },
  configured: "autoindex on",
  configuration: ({ root, folder, port }) => `
${nginxOwn(folder)}
events { worker_connections 64; }
http {
  access_log off;
  ${nginxPlain(folder)}
  server { listen 127.0.0.1:${port}; root "${root}"; autoindex on; location ~ /\\. { return 404; } }
}
`,
  command: ({ folder, file }) => ["nginx", "-e", "stderr", "-p", folder, "-c", file],
});
