/**
 * What a row of the table of conformance is: literal bytes and what comes of them. Behind each a
 * probe is sent on the same connection, which tells whether the server goes on with it.
 */
import fs from "node:fs";
import { Tree } from "../../../rig/tree.ts";

/**
 * A name; what is sent, a byte a character, `{etag}` being that of /f with its quotes; what comes
 * of it, in the words of outcomeOf(); and where nginx is known to differ, why.
 */
export type Case = readonly [name: string, sent: string, expected: string, nginx?: string];

/** The content of /f. */
export const BODY = "0123456789";

/** When /f was written. */
export const MODIFIED = "Mon, 15 Jan 2024 10:20:30 GMT";

/** The line that most heads have. */
export const HOST = "Host: h\r\n";

/** The first lines of most requests. */
export const GET = `GET /f HTTP/1.1\r\n${HOST}`;

/** What follows each case. */
export const PROBE = `GET /probe HTTP/1.1\r\n${HOST}\r\n`;

/** The files that are asked for. */
export function servedTree(): Tree {
  const tree = new Tree({ f: BODY, empty: "", "d/x": "x", "with space": "s", "a%41": "p" });
  tree.write("probe", "probe");
  tree.write("+", "plus");
  tree.write("é", "e");
  tree.write("q?", "mark");
  tree.write("large", "l".repeat(100_000));
  const time = Date.parse(MODIFIED) / 1000;
  fs.utimesSync(tree.path("f"), time, time);
  return tree;
}
