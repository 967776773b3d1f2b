/**
 * HTTP with --index: a folder's index.html is served under the folder's own address in place of its
 * page, as the file that it is, so that its relative links work and no policy of the page is on it.
 */
import type { OpenFile, Store } from "../store/store.ts";
import { Refusal } from "../wire/errors.ts";
import { wantsJson } from "../wire/http/folderjson.ts";
import type { RequestHead } from "../wire/http/head.ts";
import { type Answer, fileWait } from "./answer.ts";
import { headAnswer } from "./http.ts";
import type { Asker } from "./service.ts";

const INDEX = "index.html";

/** headAnswer() with it. A folder without one, and who asks for JSON, get the list. */
export function indexAnswer(store: Store, head: RequestHead, asker: Asker): Answer {
  // Without its slash a folder moves to its own address first.
  const listed = !head.path.endsWith("/") || wantsJson(head.query, head.fields.get("accept"));
  if (listed) return headAnswer(store, head, asker);
  const index = { ...head, path: head.path + INDEX };
  // It is open now: what is asked again finds it in the cache.
  const opened = (file: OpenFile | Refusal): Answer =>
    headAnswer(store, file instanceof Refusal ? head : index, asker);
  const file = store.open(index.path, asker);
  return file === null ? fileWait(opened) : opened(file);
}
