/**
 * The HTTP door: GET and HEAD of files and folders, any number of requests on one connection,
 * answered in order. The grammar is wire/http's; files and folders are httpfile.ts's and
 * httpfolder.ts's. What can't be read for sure is answered once, and the connection ends.
 */
import type { OpenFile, Store } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Refusal } from "../wire/errors.ts";
import { field } from "../wire/http/responsehead.ts";
import { parseHead, type RequestHead } from "../wire/http/head.ts";
import { unsatisfiedRange } from "../wire/http/range.ts";
import { refusalReply } from "../wire/http/refusalreply.ts";
import { type Answer, fileWait } from "./answer.ts";
import { fileAnswer, UnsatisfiedRange } from "./httpfile.ts";
import { folderAnswer } from "./httpfolder.ts";
import { httpSecond } from "./httpsecond.ts";
import type { Asked, Asker, Door } from "./service.ts";

/** The door of HTTP/1.1. Its lines are whole request heads. */
export const httpDoor: Door = { name: "http", heads: true, answer, asked, refusal };

// --- internal ---

function answer(store: Store, line: ByteString, asker: Asker): Answer {
  const head = parseHead(line);
  if (head instanceof Refusal) {
    asker.last();
    return head;
  }
  if (head.connection === "close") asker.last();
  const opened = (file: OpenFile | Refusal): Answer => answerOf(store, head, file, asker);
  const file = store.open(head.path, asker);
  return file === null ? fileWait(opened) : opened(file);
}

function answerOf(store: Store, head: RequestHead, file: OpenFile | Refusal, asker: Asker): Answer {
  // A server of one file gives it for the root's path, which has no name.
  if (!(file instanceof Refusal)) return fileAnswer(head, store.single || head.path, file);
  return file.code === "EISDIR" ? folderAnswer(store, head, asker) : file;
}

function asked(line: ByteString): Asked {
  const head = parseHead(line);
  if (!(head instanceof Refusal)) return { verb: head.method, path: head.path };
  return { verb: line.slice(0, line.search(/[ \r]|$/)), path: "" };
}

/** `line` is the request's head, where there is one. */
function refusal(refused: Refusal, line: ByteString | null): string {
  const head = line === null ? null : parseHead(line);
  const known = head === null || head instanceof Refusal ? null : head;
  const range = refused instanceof UnsatisfiedRange ? unsatisfiedRange(refused.size) : null;
  return refusalReply(
    refused,
    httpSecond(),
    known?.connection ?? "close",
    known?.method === "HEAD",
    range === null ? "" : field("Content-Range", range),
  );
}
