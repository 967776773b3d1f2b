/**
 * What a worker is told by the process that started it: in one variable of its environment, and by
 * descriptors from 3 on, the first of which is the memory that all workers see. It ends with the
 * process that started it.
 */
import { Colleagues } from "../../server/colleagues.ts";
import type { ListenPlace } from "../../server/listen.ts";
import type { Server } from "../../server/serve.ts";
import type { Given } from "../../server/start.ts";
import { dieWithParent, parent } from "../../sys/processes.ts";
import { type Environment, UsageError } from "../flags/flags.ts";

/** The variable; that of --workers is SERV6_WORKERS. */
export const WORKER_VARIABLE = "SERV6_WORKER";

/** The descriptor of the memory in a worker; its sockets follow. */
export const MEMORY_FD = 3;

/** What the variable says. */
export interface Assignment {
  /** The process that started it. */
  readonly supervisor: number;
  /** Its plane of the memory. */
  readonly plane: number;
  readonly places: readonly ListenPlace[];
  readonly admin: ListenPlace | null;
  /** Whether it says at start what a server says. */
  readonly says: boolean;
  /** The configuration file's text at the last reload, in base64; null without such a file. */
  readonly config: string | null;
}

/** This process as a worker. */
export interface Worker extends Pick<Assignment, "says"> {
  readonly given: Given;
  /** The configuration file's text, which may be another one by now. */
  readonly config: string | undefined;
  /** It serves as `server`, behind its wall. */
  begun(server: Server): void;
}

/** This process as a worker, where `environment` says that it is one; else null. */
export function workerOf(environment: Environment): Worker | null {
  const text = environment[WORKER_VARIABLE];
  if (text === undefined) return null;
  const { supervisor, plane, places, admin, says, config } = assignmentOf(text);
  endWith(supervisor);
  const colleagues = Colleagues.open(MEMORY_FD);
  if (colleagues === null) throw new UsageError(`${WORKER_VARIABLE}: there is no memory to share`);
  return {
    says,
    config: config === null ? undefined : Buffer.from(config, "base64").toString(),
    given: { places, admin, colleague: colleagues.memberOf(plane) },
    begun(server) {
      // Once more: becoming another user has undone it.
      endWith(supervisor);
      server.begun();
    },
  };
}

// --- internal ---

function assignmentOf(text: string): Assignment {
  try {
    const assignment: unknown = JSON.parse(text);
    if (typeof assignment === "object" && assignment !== null) return assignment as Assignment;
  } catch {
    // The same as of another kind.
  }
  throw new UsageError(
    `${WORKER_VARIABLE} is what serv6 tells its workers: --workers says how many`,
  );
}

/** Ends this process when `supervisor` ends, and at once when it has ended already. */
function endWith(supervisor: number): void {
  dieWithParent();
  if (parent() !== supervisor) process.exit(1);
}
