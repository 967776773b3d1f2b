/** Owns the list of rivals: each is a file of its own beside this one. */
import { bunServe } from "./bunserve.ts";
import { caddy } from "./caddy.ts";
import { csendfile } from "./csendfile.ts";
import { h2o } from "./h2o.ts";
import { lighttpd } from "./lighttpd.ts";
import { nginx, nginxRead, nginxTls } from "./nginx.ts";
import { naive, python } from "./python.ts";
import type { Rival } from "./rival.ts";

export const RIVALS: readonly Rival[] = [
  ...[nginx, nginxRead, nginxTls, csendfile, lighttpd, h2o, caddy, bunServe, python, naive],
];
