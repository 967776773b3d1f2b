/**
 * The S6/1 door: any number of requests on one connection, answered in order. Errors are replies
 * like others; the connection stays in step after each.
 */
import type { EncodedPage } from "../store/store.ts";
import { statFacts } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { parseRequest, type Request } from "../wire/request.ts";
import { errLine, okLine } from "../wire/reply.ts";
import { PROTOCOL } from "../wire/vocabulary.ts";
import type { Connection } from "./connection.ts";
import { hash, hashWhole } from "./hash.ts";
import { jobOf } from "./job.ts";
import { read, readWhole } from "./read.ts";
import type { Door } from "./service.ts";
import { VERSION } from "./version.ts";
import type { ByteString } from "../wire/bytes.ts";
import { pageWait } from "./state.ts";

const PONG = okLine(0, ` server=serv6 version=${VERSION} protocol=${PROTOCOL}`);

/** The door of the framed protocol. */
export const framedDoor: Door = { name: "s6", answer, refusal: errLine };

// --- internal ---

function answer(connection: Connection, line: ByteString): void {
  // By far the commonest lines: a whole file whose name needs no escape.
  const whole = line.startsWith("READ /")
    ? readWhole
    : line.startsWith("HASH /")
      ? hashWhole
      : null;
  if (whole !== null && !line.includes("%")) {
    whole(connection, line.slice(5));
    return;
  }
  const request = parseRequest(line);
  if (request instanceof Refusal) {
    connection.refuse(jobOf(line.slice(0, line.indexOf(" ") >>> 0), "", 0), request);
    return;
  }
  switch (request.verb) {
    case "READ":
      read(connection, request);
      break;
    case "HASH":
      hash(connection, request);
      break;
    case "STAT":
      stat(connection, request);
      break;
    case "LIST":
      list(connection, request);
      break;
    default:
      connection.sendText(PONG);
      connection.record(jobOf("PING", "", 0), "OK", 0);
  }
}

/** What a STAT costs a turn, in usual requests: it opens the name anew each time, in 5 us. */
const STAT_COST = 3;

function stat(connection: Connection, request: Request): void {
  connection.charge(STAT_COST);
  const entry = connection.service.store.stat(request.path);
  const job = jobOf("STAT", request.path, 0);
  if (entry instanceof Refusal) {
    connection.refuse(job, entry);
    return;
  }
  connection.sendText(okLine(0, statFacts(entry)));
  connection.record(job, "OK", 0);
}

function list(connection: Connection, request: Request): void {
  const { path, limit, after } = request;
  const job = jobOf("LIST", path, 0);
  const listed = (page: EncodedPage | Refusal): void => {
    if (page instanceof Refusal) {
      connection.refuse(job, page);
      return;
    }
    const { text, count, more } = page;
    connection.sendText(okLine(text.length, ` count=${count} more=${more ? 1 : 0}`));
    connection.sendBytes(text);
    connection.record(job, "OK", text.length);
  };
  const refused = connection.service.store.list(path, limit, after, connection);
  if (refused === null) connection.awaitStore(pageWait(listed));
  else connection.refuse(job, refused);
}
