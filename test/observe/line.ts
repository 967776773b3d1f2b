/** A request as tests of the log have it. */
import type { LogLine } from "../../src/observe/logline.ts";

/** Answered, by S6/1. */
export const LINE: LogLine = {
  peer: "127.0.0.1",
  door: "s6",
  verb: "READ",
  path: "/f",
  status: "OK",
  bytes: 6,
  ms: 0.1,
  http: null,
};
