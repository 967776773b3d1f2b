/**
 * The bare door, as the exercise speaks it: one path, the content, FIN. A path has several readings
 * (below the root, or absolute under the root's own name); the first that exists is served.
 */
import type { OpenFile } from "../store/store.ts";
import { Refusal } from "../wire/errors.ts";
import { printable } from "../wire/printable.ts";
import { plainErrorLine } from "../wire/reply.ts";
import { TO_THE_END } from "../wire/request.ts";
import type { Connection } from "./connection.ts";
import { type Job, jobOf, NO_HEAD } from "./job.ts";
import { rangeOf } from "./range.ts";
import type { Door } from "./service.ts";
import type { ByteString } from "../wire/bytes.ts";
import { fileWait } from "./state.ts";

/** The door of the bare path. */
export const plainDoor: Door = { name: "plain", answer, refusal: plainErrorLine };

// --- internal ---

function answer(connection: Connection, path: ByteString): void {
  connection.closeAfter();
  const job = jobOf("READ", path, 0);
  if (path === "") {
    connection.refuse(job, new Refusal("EINVAL", "the path is empty"));
    return;
  }
  const readings = connection.service.store.readings(path);
  readNext(connection, job, readings, null);
}

/**
 * Tries one reading after the other; `first` is the refusal of the first, which is told when none
 * exists.
 */
function readNext(
  connection: Connection,
  job: Job,
  readings: ByteString[],
  first: Refusal | null,
): void {
  const reading = readings.shift();
  if (reading === undefined) {
    connection.refuse(job, first ?? new Refusal("ENOENT", printable(job.path)));
    return;
  }
  const opened = (file: OpenFile | Refusal): void => {
    if (!(file instanceof Refusal)) send(connection, job, file);
    else if (file.code === "ENOENT" || file.code === "ENOTDIR") {
      // The reading's own words, but the path as it was asked for.
      const refusal = first ?? new Refusal(file.code, printable(job.path));
      readNext(connection, job, readings, refusal);
    } else connection.refuse(job, new Refusal(file.code, printable(job.path)));
  };
  const file = connection.service.store.open(reading, connection);
  if (file === null) connection.awaitStore(fileWait(opened));
  else opened(file);
}

function send(connection: Connection, job: Job, file: OpenFile): void {
  const range = rangeOf(file.entry, 0n, TO_THE_END);
  if (range instanceof Refusal) {
    connection.refuse(job, range);
    return;
  }
  const { length } = range;
  if (length > 0 && file.body === null) {
    connection.sendFile(NO_HEAD, file, file.base, length, { ...job, length });
    return;
  }
  if (file.body !== null) connection.sendBytes(file.body);
  connection.record(job, "OK", length);
}
