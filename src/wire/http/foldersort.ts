/**
 * The order of the rows of one page of a folder. A page is a stretch of the folder's names in byte
 * order, however its rows are sorted: the order of a whole folder of a million entries would cost
 * its whole reading. Folders come first, as in every file manager.
 */
import type { ByteString } from "../bytes.ts";
import type { Entry } from "../entry.ts";
import { parameterOf } from "./target.ts";

/** By what, and which way. */
export interface FolderSort {
  readonly by: "name" | "size" | "time";
  readonly order: "asc" | "desc";
}

/** What `?sort=` and `&order=` say; what they can't say counts as not said. */
export function sortOf(query: ByteString): FolderSort {
  const by = parameterOf(query, "sort");
  const order = parameterOf(query, "order") === "desc" ? "desc" : "asc";
  return { by: by === "size" || by === "time" ? by : "name", order };
}

/** `sort` as the end of a query that has something in front: "" for the order by name. */
export function sortParameters({ by, order }: FolderSort): string {
  if (by === "name" && order === "asc") return "";
  return `&sort=${by}${order === "desc" ? "&order=desc" : ""}`;
}

/** What a click on the heading of `by` asks for: the other way round, or what is wanted first. */
export function nextSort(now: FolderSort, by: FolderSort["by"]): FolderSort {
  if (now.by === by) return { by, order: now.order === "asc" ? "desc" : "asc" };
  return { by, order: by === "name" ? "asc" : "desc" };
}

/**
 * The places of `entries`, which are in byte order of their names, in the order of `sort`. What is
 * equal stays in byte order.
 */
export function sortedPlaces(entries: readonly Entry[], { by, order }: FolderSort): number[] {
  const places = [...entries.keys()];
  if (by === "name" && order === "desc") places.reverse();
  const ofType = (type: Entry["type"]): number[] => {
    const own = places.filter((place) => entries[place]!.type === type);
    return by === "name" ? own : own.sort(comparison(entries, by, order));
  };
  return [...ofType("dir"), ...ofType("file")];
}

// --- internal ---

/** Compares two of `entries` by their places. */
function comparison(
  entries: readonly Entry[],
  by: "size" | "time",
  order: FolderSort["order"],
): (a: number, b: number) => number {
  const sign = order === "asc" ? 1 : -1;
  const key = by === "size" ? "size" : "mtime";
  return (a, b) => {
    const one = entries[a]![key];
    const other = entries[b]![key];
    if (one === other) return 0;
    return one < other ? -sign : sign;
  };
}
