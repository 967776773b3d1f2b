/**
 * HTTP with --index: a folder's index.html is served under the folder's own address in place of its
 * page, as the file that it is, so that its relative links work and no policy of the page is on it.
 */
import type { OpenFile, Store } from "../store/store.ts";
import { Refusal, type WireCode } from "../wire/errors.ts";
import { wantsJson } from "../wire/http/folderjson.ts";
import type { RequestHead } from "../wire/http/head.ts";
import { type Answer, fileWait } from "./answer.ts";
import { headAnswer } from "./http.ts";
import type { Asker } from "./service.ts";

const INDEX = "index.html";

/**
 * Refusals that tell nothing of whether there is one: a list in its place would say that there is
 * none, and be kept by caches.
 */
const FAILURES: ReadonlySet<WireCode> = new Set(["EBUSY", "EIO"]);

/** headAnswer() with it. A folder without one, and who asks for JSON, get the list. */
export function indexAnswer(store: Store, head: RequestHead, asker: Asker): Answer {
  // Without its slash a folder moves to its own address first.
  const listed = !head.path.endsWith("/") || wantsJson(head.query, head.fields.get("accept"));
  if (listed) return headAnswer(store, head, asker);
  const index = { ...head, path: head.path + INDEX };
  const opened = (file: OpenFile | Refusal): Answer => {
    // It is open now: what is asked again finds it in the cache.
    if (!(file instanceof Refusal)) return headAnswer(store, index, asker);
    return FAILURES.has(file.code) ? file : headAnswer(store, head, asker);
  };
  const file = store.open(index.path, asker);
  return file === null ? fileWait(opened) : opened(file);
}
