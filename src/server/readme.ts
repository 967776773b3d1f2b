/**
 * The README that a folder's page shows: opened by the store like any other file, so that it can't
 * lie outside the root and is read off the loop.
 */
import { contentAtOnce } from "../store/atonce.ts";
import type { OpenFile, Store } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Refusal } from "../wire/errors.ts";
import type { Readme } from "../wire/http/folderreadme.ts";
import { type Answer, fileWait } from "./answer.ts";
import type { Asker } from "./service.ts";

/**
 * What `then` makes of the first of `names` that can be had in `folder`, a path that ends in a
 * slash, or of null. That one can't be had is no reason not to show the page.
 */
export function readmeAnswer(
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
      ? readmeAnswer(store, folder, rest, asker, then)
      : then({ name, size: file.entry.size, content: contentAtOnce(file) });
  const file = store.open(folder + name, asker);
  return file === null ? fileWait(opened) : opened(file);
}
