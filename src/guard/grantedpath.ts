/** Where a path lies to those that a grant names: the one decision of every door and verb. Pure. */
import { type ByteString } from "../wire/bytes.ts";
import { HERE } from "../wire/path.ts";

/**
 * - `inside`: it is one of them, or below one
 * - `above`: it is a folder on the way to one of them
 * - `outside`: neither; for who asks it does not exist
 */
export type Place = "inside" | "above" | "outside";

/**
 * Of `relative`, as relativeOf() gives it, to `paths` (bytes without slashes around; "" is all).
 */
export function placeOf(relative: ByteString, paths: readonly ByteString[]): Place {
  const path = bare(relative);
  if (paths.some((granted) => isWithin(path, granted))) return "inside";
  return paths.some((granted) => isWithin(granted, path)) ? "above" : "outside";
}

/** The names in the folder `relative` that lead to `paths`, sorted by bytes, each once. */
export function namesTo(relative: ByteString, paths: readonly ByteString[]): ByteString[] {
  const folder = bare(relative);
  const start = folder === "" ? "" : `${folder}/`;
  const names = paths
    .filter((granted) => granted.startsWith(start))
    .map((granted) => granted.slice(start.length).replace(/\/.*$/s, ""));
  return [...new Set(names)].sort((a, b) => (a < b ? -1 : 1));
}

// --- internal ---

/** Without the slash that asks for a folder; the root is "". */
function bare(relative: ByteString): ByteString {
  if (relative === HERE) return "";
  return relative.endsWith("/") ? relative.slice(0, -1) : relative;
}

/** True when `path` is `folder`, or below it. */
function isWithin(path: ByteString, folder: ByteString): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}
