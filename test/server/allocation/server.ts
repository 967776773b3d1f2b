/**
 * A server that tells how much memory its JavaScript has ever taken: run with the collector off. A
 * line on standard input asks, a number on standard output answers; the first is the port.
 */
import { serve } from "../../../src/api.ts";

const server = serve({ root: process.argv[2] ?? ".", port: 0, log: "off" });
console.log(server.addresses[0]?.port);
for await (const _line of console) console.log(process.memoryUsage().heapUsed);
process.exit(0);
