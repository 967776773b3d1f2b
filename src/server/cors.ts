/**
 * The HTTP door for pages of other origins (Fetch, "CORS protocol"): the fields that let a browser
 * show them the reply, and the answer to its preflight. Nothing of it is there without --cors.
 */
import type { Store } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Refusal } from "../wire/errors.ts";
import { ALLOW, parseHead } from "../wire/http/head.ts";
import { field, responseHead } from "../wire/http/responsehead.ts";
import { replyOf } from "../wire/reply.ts";
import type { Answer, Later, StoreWait } from "./answer.ts";
import { type HeadAnswer, httpDoorWith } from "./http.ts";
import { httpSecond } from "./httpsecond.ts";
import type { Asker, Door } from "./service.ts";

/** What a page may read of a reply beside the fields that Fetch allows of itself. */
const EXPOSED = "ETag, Content-Range, Content-Length, Accept-Ranges";

/** What a page may send: the fields that change an answer. "*" would not cover Authorization. */
const SENT =
  "Authorization, Range, If-Range, If-Match, If-None-Match, If-Modified-Since, " +
  "If-Unmodified-Since, Want-Repr-Digest";

/** Seconds that a browser keeps a preflight's answer: most keep it no longer than two hours. */
const PREFLIGHT_SECONDS = 7200;

const HEAD_END = "\r\n\r\n";
const PREFLIGHT = "OPTIONS ";

/**
 * The door of HTTP with `files` for pages of `origin` too, as browsers write it, or "*" for all.
 */
export function corsDoor(files: HeadAnswer, origin: string): Door {
  const shared = `${field("Access-Control-Allow-Origin", origin)}Vary: Origin\r\n`;
  const fields = shared + field("Access-Control-Expose-Headers", EXPOSED);
  const door = httpDoorWith((store, head, asker) =>
    // What is for who runs the server (admin.ts) no page elsewhere may read.
    head.own
      ? files(store, head, asker)
      : withFields(files(store, { ...head, amended: true }, asker), fields),
  );
  return {
    ...door,
    answer: (store: Store, line: ByteString, asker: Asker): Answer =>
      line.startsWith(PREFLIGHT)
        ? preflightAnswer(line, shared, asker)
        : door.answer(store, line, asker),
    refusal: (refused, line, ends) => inHead(door.refusal(refused, line, ends), fields),
  };
}

// --- internal ---

/** A browser shows no token in a preflight, and is told nothing of the path. */
function preflightAnswer(line: ByteString, shared: string, asker: Asker): Answer {
  const head = parseHead(`GET ${line.slice(PREFLIGHT.length)}`);
  if (head instanceof Refusal) {
    asker.last();
    return head;
  }
  if (head.connection === "close") asker.last();
  const fields =
    shared +
    field("Access-Control-Allow-Methods", ALLOW) +
    field("Access-Control-Allow-Headers", SENT) +
    field("Access-Control-Max-Age", String(PREFLIGHT_SECONDS));
  return replyOf(responseHead(204, httpSecond(), "none", head.connection, fields));
}

/** The same answer with `fields`. What follows a part has no head of its own. */
function withFields(answer: Answer, fields: string): Answer {
  if (answer instanceof Refusal) return answer;
  switch (answer.kind) {
    case "file": {
      const head = inHead(Buffer.from(answer.head).toString("latin1"), fields);
      return { ...answer, head: Buffer.from(head, "latin1") };
    }
    case "store":
      return laterWithFields(answer, fields);
    default:
      return { ...answer, head: inHead(answer.head, fields) };
  }
}

function laterWithFields(wait: StoreWait, fields: string): StoreWait {
  const promise = inHead(wait.promise, fields);
  switch (wait.asked) {
    case "file":
      return { ...wait, promise, then: later(wait.then, fields) };
    case "entry":
      return { ...wait, promise, then: later(wait.then, fields) };
    case "page":
      return { ...wait, promise, then: later(wait.then, fields) };
    case "digests":
      return { ...wait, promise, then: later(wait.then, fields) };
  }
}

function later<T>(then: Later<T>, fields: string): Later<T> {
  return (result) => withFields(then(result), fields);
}

/** A promise may be cut before the head's end: then it has nothing of it. */
function inHead(head: string, fields: string): string {
  const end = head.indexOf(HEAD_END);
  return end < 0 ? head : `${head.slice(0, end + 2)}${fields}${head.slice(end + 2)}`;
}
