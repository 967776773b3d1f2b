/**
 * The README that a folder's page shows: looked for among the entries of the page, and opened by
 * the store like any other file, so that it can't lie outside the root and is read off the loop.
 */
import { contentAtOnce } from "../store/atonce.ts";
import type { OpenFile, Store } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Refusal } from "../wire/errors.ts";
import type { FolderListing } from "../wire/http/folderlisting.ts";
import { README_NAMES, type Readme } from "../wire/http/folderreadme.ts";
import { type Answer, fileWait } from "./answer.ts";
import type { Asker } from "./service.ts";

/**
 * What `then` makes of the README of `folder`, a path that ends in a slash, or of null. The page
 * has `listing`, begins behind `after`, and `more` names follow: on the first page one that stands
 * on a later one is looked for too.
 */
export function readmeAnswer(
  store: Store,
  folder: ByteString,
  after: ByteString,
  listing: FolderListing,
  more: boolean,
  asker: Asker,
  then: (readme: Readme | null) => Answer,
): Answer {
  const last = listing.names.at(-1) ?? "";
  const here = README_NAMES.filter((name) => listing.file((it) => it === name) !== null);
  const later = README_NAMES.filter((name) => after === "" && more && name > last);
  const names = here.length > 0 ? here : later;
  return firstOf(store, folder, names, asker, then);
}

// --- internal ---

/** Tries `names` in their order. That one can't be had is no reason not to show the page. */
function firstOf(
  store: Store,
  folder: ByteString,
  names: readonly ByteString[],
  asker: Asker,
  then: (readme: Readme | null) => Answer,
): Answer {
  const [name, ...rest] = names;
  if (name === undefined) return then(null);
  const opened = (file: OpenFile | Refusal): Answer =>
    file instanceof Refusal
      ? firstOf(store, folder, rest, asker, then)
      : then({ name, size: file.entry.size, content: contentAtOnce(file) });
  const file = store.open(folder + name, asker);
  return file === null ? fileWait(opened) : opened(file);
}
