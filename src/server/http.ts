/**
 * The HTTP door: GET and HEAD of files and folders, any number of requests on one connection,
 * answered in order. The grammar is wire/http's; files and folders are httpfile.ts's and
 * httpfolder.ts's. What can't be read for sure is answered once, and the connection ends.
 */
import type { OpenFile, Store } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Refusal } from "../wire/errors.ts";
import { parseHead, type RequestHead } from "../wire/http/head.ts";
import { LINK_PARAMETER, linkInCookie } from "../wire/http/link.ts";
import { unsatisfiedRange } from "../wire/http/range.ts";
import { refusalReply } from "../wire/http/refusalreply.ts";
import { field } from "../wire/http/responsehead.ts";
import { parameterOf } from "../wire/http/target.ts";
import type { Shown } from "./access.ts";
import { type Answer, fileWait, type StoreWait } from "./answer.ts";
import { type ToldDigest, wantedDigest } from "./httpdigest.ts";
import { fileAnswer, UnsatisfiedRange } from "./httpfile.ts";
import { folderAnswer } from "./httpfolder.ts";
import { httpSecond } from "./httpsecond.ts";
import { sumsAnswer, sumsFolder } from "./httpsums.ts";
import type { Asked, Asker, Door } from "./service.ts";

/** What a request that can be read is answered with. */
export type HeadAnswer = (store: Store, head: RequestHead, asker: Asker) => Answer;

/** The door of HTTP/1.1, whose lines are whole request heads, with `answerOfHead` behind it. */
export function httpDoorWith(answerOfHead: HeadAnswer): Door {
  const answer = (store: Store, line: ByteString, asker: Asker): Answer => {
    const parsed = parseHead(line);
    if (parsed instanceof Refusal) {
      asker.last();
      return parsed;
    }
    const head = asker.ending ? { ...parsed, connection: "close" as const } : parsed;
    if (head.connection === "close") asker.last();
    const seen = asker.access.closed ? asker.access.storeFor(shownIn(head)) : store;
    return seen instanceof Refusal ? seen : answerOfHead(seen, head, asker);
  };
  return { name: "http", heads: true, answer, asked, refusal };
}

/** A file, or the page of a folder. */
export function headAnswer(store: Store, head: RequestHead, asker: Asker): Answer {
  return lookUp(store, head, asker, null);
}

// --- internal ---

/** What a request shows to be let in. */
function shownIn({ fields, query }: RequestHead): Shown {
  return {
    authorization: fields.get("authorization"),
    link: parameterOf(query, LINK_PARAMETER),
    cookie: linkInCookie(fields.get("cookie")),
  };
}

/** `told` is the digest that was waited for. */
function lookUp(store: Store, head: RequestHead, asker: Asker, told: ToldDigest | null): Answer {
  const opened = (file: OpenFile | Refusal): Answer => answerOf(store, head, file, asker, told);
  const file = store.open(head.path, asker);
  return file === null ? fileWait(opened) : opened(file);
}

function answerOf(
  store: Store,
  head: RequestHead,
  file: OpenFile | Refusal,
  asker: Asker,
  told: ToldDigest | null,
): Answer {
  if (file instanceof Refusal) {
    if (file.code === "EISDIR") return folderAnswer(store, head, asker);
    const folder = file.code === "ENOENT" ? sumsFolder(head.path) : null;
    return folder === null ? file : sumsAnswer(store, head, folder, asker);
  }
  // Most want none, and have no field at all: no closure is made for them.
  const digest = head.fields.size === 0 ? "" : digestOf(store, head, file, asker, told);
  // A server of one file gives it for the root's path, which has no name.
  const path = store.single || head.path;
  return typeof digest === "string" ? fileAnswer(store, head, path, file, digest) : digest;
}

function digestOf(
  store: Store,
  head: RequestHead,
  file: OpenFile,
  asker: Asker,
  told: ToldDigest | null,
): string | StoreWait {
  const again = (now: ToldDigest): Answer => lookUp(store, head, asker, now);
  return wantedDigest(store, head, file, asker, told, again);
}

function asked(line: ByteString): Asked {
  const head = parseHead(line);
  if (!(head instanceof Refusal)) return { verb: head.method, path: head.path };
  return { verb: line.slice(0, line.search(/[ \r]|$/)), path: "" };
}

/** `line` is the request's head, where there is one. */
function refusal(refused: Refusal, line: ByteString | null, ends: boolean): string {
  const head = line === null ? null : parseHead(line);
  const known = head === null || head instanceof Refusal ? null : head;
  const range = refused instanceof UnsatisfiedRange ? unsatisfiedRange(refused.size) : null;
  return refusalReply(
    refused,
    httpSecond(),
    // Who is not told asks again in a connection that is over (RFC 9112 9.6).
    ends ? "close" : (known?.connection ?? "close"),
    known?.method === "HEAD",
    range === null ? "" : field("Content-Range", range),
  );
}
