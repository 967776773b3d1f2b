/**
 * The S6/1 door: any number of requests on one connection, answered in order. Errors are replies
 * like others; the connection stays in step after each.
 */
import type { Store, Waiter } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { type Entry, statFacts } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { errLine, okLine, replyOf } from "../wire/reply.ts";
import { parseRequest, type Request } from "../wire/request.ts";
import { PROTOCOL } from "../wire/vocabulary.ts";
import { type Answer, entryWait } from "./answer.ts";
import { hash, hashWhole } from "./hash.ts";
import { listedAnswer } from "./listed.ts";
import { read, readWhole } from "./read.ts";
import type { Asked, Asker, Door } from "./service.ts";
import { VERSION } from "./version.ts";

const PONG_FACTS = ` server=serv6 version=${VERSION} protocol=${PROTOCOL}`;
const PONG = replyOf(okLine(0, PONG_FACTS));
const PONG_BY_TOKEN = replyOf(okLine(0, `${PONG_FACTS} auth=token`));

const DONE = replyOf(okLine(0, ""));

/** The door of the framed protocol. */
export const framedDoor: Door = { name: "s6", heads: false, answer, asked, refusal: errLine };

// --- internal ---

function answer(store: Store, line: ByteString, asker: Asker): Answer {
  // By far the commonest lines: a whole file whose name needs no escape.
  if (!line.includes("%")) {
    if (line.startsWith("READ /")) return readWhole(store, line.slice(5), asker);
    if (line.startsWith("HASH /")) return hashWhole(store, line.slice(5), asker);
  }
  const request = parseRequest(line);
  if (request instanceof Refusal) return request;
  switch (request.verb) {
    case "READ":
      return read(store, request, asker);
    case "HASH":
      return hash(store, request, asker);
    case "STAT":
      return stat(store, request, asker);
    case "LIST":
      return list(store, request, asker);
    case "AUTH":
      return authorize(request, asker);
    default:
      return asker.access.closed ? PONG_BY_TOKEN : PONG;
  }
}

function authorize({ token }: Request, asker: Asker): Answer {
  const refused = asker.access.authorize(token);
  // Who has to wait does so without a connection.
  if (refused?.code === "EBUSY") asker.last();
  return refused ?? DONE;
}

function asked(line: ByteString): Asked {
  const request = parseRequest(line);
  if (!(request instanceof Refusal)) return { verb: request.verb, path: request.path };
  return { verb: line.slice(0, line.indexOf(" ") >>> 0), path: "" };
}

function stat(store: Store, request: Request, waiter: Waiter): Answer {
  const told = (entry: Entry | Refusal): Answer =>
    entry instanceof Refusal ? entry : replyOf(okLine(0, statFacts(entry)));
  const entry = store.stat(request.path, waiter);
  return entry === null ? entryWait(told) : told(entry);
}

function list(store: Store, request: Request, waiter: Waiter): Answer {
  // Of the reply no more is known: its length comes first.
  return listedAnswer(store, request, waiter, "OK ", (page) => {
    if (page instanceof Refusal) return page;
    const { text, count, more, left: names, id } = page;
    const head = okLine(
      text.length,
      ` count=${count} more=${more ? 1 : 0} left=${names}${id === "" ? "" : ` id=${id}`}`,
    );
    return { kind: "reply", head, bytes: text, content: text.length };
  });
}
