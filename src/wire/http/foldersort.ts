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
  const sign = order === "asc" ? 1 : -1;
  if (by === "name" && sign > 0) {
    const ofType = (type: Entry["type"]): number[] =>
      places.filter((place) => entries[place]?.type === type);
    return [...ofType("dir"), ...ofType("file")];
  }
  return places.sort((a, b) => {
    const one = entries[a];
    const other = entries[b];
    if (one === undefined || other === undefined) return 0;
    if (one.type !== other.type) return one.type === "dir" ? -1 : 1;
    if (by === "size" && one.size !== other.size) return one.size < other.size ? -sign : sign;
    if (by === "time" && one.mtime !== other.mtime) return one.mtime < other.mtime ? -sign : sign;
    return by === "name" ? sign * (a - b) : a - b;
  });
}
