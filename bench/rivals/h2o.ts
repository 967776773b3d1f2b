/** Owns the rival h2o: one thread, no log. */
import { rivalOf } from "./program.ts";
import type { Rival } from "./rival.ts";

export const h2o: Rival = rivalOf({
  ...{ name: "h2o", door: "http", binary: "h2o", version: ["h2o", "--version"] },
  configured: "1 thread, file.dir, no log",
  configuration: ({ port, root, folder }) => `
${process.getuid?.() === 0 ? "user: root" : ""}
num-threads: 1
max-connections: 12000
http1-request-timeout: 60
pid-file: ${folder}/pid
listen:
  host: 127.0.0.1
  port: ${port}
hosts:
  default:
    paths:
      /:
        file.dir: ${root}
`,
  command: ({ file }) => ["h2o", "-m", "worker", "-c", file],
});
