/**
 * What HTTP tells whoever runs the server, below "/-/": health, metrics, and a live page. Only to
 * this machine, or by a listener of its own (--admin-bind); for everybody else there is nothing. A
 * folder that is really called "-" is at "/%2D/": these paths count as they are spelled.
 */
import { isIP } from "node:net";
import type { Store } from "../store/store.ts";
import { type ByteString, utf8Of } from "../wire/bytes.ts";
import { Refusal } from "../wire/errors.ts";
import type { RequestHead } from "../wire/http/head.ts";
import { HeadRefusal } from "../wire/http/headrefusal.ts";
import { field, responseHead, typeFields } from "../wire/http/responsehead.ts";
import { OPENMETRICS_TYPE } from "../observe/openmetrics.ts";
import { printable } from "../wire/printable.ts";
import { replyOf } from "../wire/reply.ts";
import type { Answer } from "./answer.ts";
import { liveFacts, type Observed } from "./facts.ts";
import { type HeadAnswer, httpDoorWith } from "./http.ts";
import { httpSecond } from "./httpsecond.ts";
import { metrics } from "./metrics.ts";
import type { Asker, Door } from "./service.ts";
import { STATUS_PAGE, STATUS_PAGE_FIELDS } from "./statuspage.ts";

/** `files` with the paths of who runs the server, for this machine's own clients. */
export function withAdmin(files: HeadAnswer, observed: () => Observed): HeadAnswer {
  return (store, head, asker) =>
    head.own && asker.access.local ? adminAnswer(head, observed()) : files(store, head, asker);
}

/** The door of a listener that has these paths and nothing else, for everybody who reaches it. */
export function adminDoor(observed: () => Observed): Door {
  return httpDoorWith((_store: Store, head: RequestHead, _asker: Asker) =>
    head.own ? adminAnswer(head, observed()) : nothing(head.path),
  );
}

// --- internal ---

function adminAnswer(head: RequestHead, observed: Observed): Answer {
  if (!isOwnHost(head.host)) {
    // A page elsewhere may have its name lead to this machine, and then ask as if it were here.
    return new HeadRefusal(421, "ask by address, or as localhost");
  }
  switch (head.path) {
    case "/-/health":
      return content(head, typeFields("text/plain;charset=utf-8"), "ok\n");
    case "/-/metrics":
      return content(head, typeFields(OPENMETRICS_TYPE), metrics(observed));
    case "/-/stats":
      return content(head, typeFields("application/json"), JSON.stringify(liveFacts(observed)));
    case "/-/":
      return content(head, STATUS_PAGE_FIELDS, STATUS_PAGE);
    default:
      return nothing(head.path);
  }
}

/** True for an address and for "localhost": names of others lead where their owners like. */
function isOwnHost(host: ByteString): boolean {
  const name = utf8Of(host).replace(/:[0-9]*$/, "");
  const plain = name.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  return isIP(plain) !== 0 || name.toLowerCase() === "localhost";
}

function nothing(path: ByteString): Refusal {
  return new Refusal("ENOENT", printable(path));
}

function content({ method, connection }: RequestHead, fields: string, text: string): Answer {
  const bytes = Buffer.from(text);
  const all = fields + field("Cache-Control", "no-store");
  const head = responseHead(200, httpSecond(), bytes.length, connection, all);
  return method === "HEAD" ? replyOf(head) : { kind: "reply", head, bytes, content: bytes.length };
}
