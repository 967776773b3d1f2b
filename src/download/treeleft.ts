/**
 * What a mirror says of names that the server leaves out. A link's content is missed: the mirror is
 * not complete, as rsync -L ends with 23 for a link without a file. A device, a pipe or a socket
 * has no content: that is told, and nothing is missed.
 */
import { ClientError } from "../client/error.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { LeftName } from "../wire/entry.ts";
import type { Wants } from "./filter.ts";
import { LeftOut } from "./left.ts";
import type { Origin } from "./origin.ts";
import type { Run } from "./run.ts";
import { below, type Level } from "./walk.ts";

/**
 * Tells of the names in `level` of the tree at `top` that are wanted: a failure ("incomplete") or a
 * note for each reason. Where a link leads is not known, so that it is unwanted as soon as either a
 * file or a folder of its name would be.
 */
export function tellLeft(
  run: Run,
  origin: Origin,
  top: ByteString,
  level: Level,
  names: readonly LeftName[],
  wants: Wants,
): void {
  const out = new LeftOut();
  for (const left of names) {
    const path = below(level, left.name);
    if (wants(path, "dir") && wants(path, "file")) out.add(left);
  }
  const folder = `${top}/${level.path}`;
  for (const { text, code, content } of out.lines(origin.server, folder)) {
    if (content) run.fail(new ClientError("incomplete", code, `${code}: ${text}`));
    else run.tell({ type: "note", text: `cli6: ${text}` });
  }
}
