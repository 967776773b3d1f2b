/**
 * The program `serv6`: its flags, its messages at start, its signals and its exit status. It turns
 * flags into options; server/ does the serving.
 */
import { writeFully } from "../../sys/shortcount.ts";
import { LIMITS_DEFAULT } from "../../guard/limits.ts";
import type { Server } from "../../server/serve.ts";
import { HOST_DEFAULT, serve } from "../../server/start.ts";
import { kernel } from "../../sys/kernel.ts";
import { EXIT, type ExitStatus, exitOf } from "../output/exit.ts";
import { Failure } from "../../wire/failure.ts";
import { PORT_DEFAULT } from "../../wire/vocabulary.ts";
import { COMPLETIONS_FLAG } from "../flags/general.ts";
import {
  type Command,
  type Environment,
  type FlagTable,
  parseFlags,
  UsageError,
} from "../flags/flags.ts";
import { answerTo } from "../flags/help.ts";
import { printAnswer } from "../output/text.ts";
import { count, duration, filePath, oneOf, portNumber, size, text } from "../flags/values.ts";
import { ADMIN_FLAGS } from "./adminflags.ts";
import { CONFIG_FLAGS } from "./configflags.ts";
import { type Configured, configured } from "./configured.ts";
import { RATE_FLAGS } from "./rateflags.ts";
import { CACHE_FLAGS } from "./cacheflags.ts";
import { S3_FLAGS } from "./s3flags.ts";
import { TLS_FLAGS } from "./tlsflags.ts";
import { SANDBOX_FLAGS, wall } from "./sandboxflags.ts";
import { newToken, TOKEN_FLAGS } from "./tokenflags.ts";
import { welcome } from "./welcome.ts";
import { activated } from "./activation.ts";
import { Notify } from "./notify.ts";
import type { Supervised } from "./supervisor.ts";
import { type Worker, workerOf } from "./worker.ts";
import { WORKER_FLAGS } from "./workerflags.ts";

const STDERR = 2;

const WHAT = "What is served";
const WHERE = "Where";
const LIMIT = "Limits";
const SAID = "What it says";
const DAY_MS = 86_400_000;
const COUNT = { min: 1, max: 1_000_000 };

/** A time limit, shown in seconds. */
function timeFlag(description: string, ms: number) {
  return {
    type: "string",
    group: LIMIT,
    valueHint: "time",
    reader: duration({ min: 1, max: DAY_MS }),
    description,
    default: String(ms / 1000),
  } as const;
}

/** A limit whose default depends on the machine. */
function countFlag(description: string) {
  return {
    type: "string",
    group: LIMIT,
    valueHint: "n",
    reader: count(COUNT),
    description,
  } as const;
}

const FLAGS = {
  port: {
    type: "string",
    alias: "p",
    group: WHERE,
    valueHint: "port",
    reader: portNumber(0),
    description: "port to listen on; 0 picks a free one",
    default: String(PORT_DEFAULT),
  },
  bind: {
    type: "string",
    alias: "b",
    group: WHERE,
    valueHint: "host",
    reader: text("an address of this machine"),
    many: true,
    description: "address to listen on, may be repeated; 0.0.0.0 or :: are all of them",
    default: HOST_DEFAULT,
  },
  hidden: { type: "boolean", group: WHAT, description: "also names that start with a dot" },
  symlinks: {
    type: "boolean",
    group: WHAT,
    description: "follow links that stay inside ROOT; --no-symlinks follows none",
    default: true,
  },
  mounts: { type: "boolean", group: WHAT, description: "also file systems mounted below ROOT" },
  unconfined: {
    type: "boolean",
    group: WHAT,
    description: "run where openat2 is missing; links may then lead out of ROOT",
  },
  sendfile: {
    type: "boolean",
    group: WHAT,
    description: "zero-copy sending; --no-sendfile reads through user space",
    default: true,
  },
  http: {
    type: "boolean",
    group: WHAT,
    description: "browsers and curl on the same port; --no-http turns them away",
    default: true,
  },
  ...CONFIG_FLAGS,
  ...S3_FLAGS,
  ...CACHE_FLAGS,
  ...ADMIN_FLAGS,
  ...RATE_FLAGS,
  ...WORKER_FLAGS,
  ...TLS_FLAGS,
  ...TOKEN_FLAGS,
  ...SANDBOX_FLAGS,
  index: {
    type: "boolean",
    group: WHAT,
    description: "browsers get a folder's index.html in place of its list",
  },
  cors: {
    type: "string",
    group: WHAT,
    valueHint: "origin",
    reader: text("an origin"),
    description: "pages of this origin, or of all with *, may read over HTTP",
  },
  "max-connections": countFlag("connections at once; default: what the fd limit leaves"),
  "max-per-peer": countFlag("connections at once from one address; default: 3/4 of all"),
  "max-files": countFlag("files open at once; default: 1/4 of the fd limit"),
  "max-in-flight": {
    ...countFlag("requests of one connection answered before others have their turn"),
    default: String(LIMITS_DEFAULT.pipeline),
  },
  "request-timeout": timeFlag("for a request to arrive whole", LIMITS_DEFAULT.requestMs),
  "idle-timeout": timeFlag("between two requests", LIMITS_DEFAULT.idleMs),
  "stall-timeout": timeFlag("for a peer to take --min-progress bytes", LIMITS_DEFAULT.stallMs),
  "min-progress": {
    type: "string",
    group: LIMIT,
    valueHint: "size",
    reader: size({ min: 1, max: 1024 ** 3 }),
    description: "what a peer must take within --stall-timeout",
    default: String(LIMITS_DEFAULT.stallBytes),
  },
  grace: timeFlag("for transfers under way at SIGTERM or Ctrl-C", LIMITS_DEFAULT.graceMs),
  log: {
    type: "string",
    group: SAID,
    valueHint: "format",
    reader: oneOf("human", "json", "combined", "off"),
    description: "one line a request: human, json, combined (as Apache's) or off",
    default: "human",
  },
  "log-file": {
    type: "string",
    group: SAID,
    valueHint: "file",
    reader: filePath,
    description: "where these go instead of stderr; SIGUSR1 opens it anew, for logrotate",
  },
  quiet: { type: "boolean", alias: "q", group: SAID, description: "at start the ready line alone" },
  qr: {
    type: "boolean",
    group: SAID,
    undecided: true,
    description:
      "a QR code of the address; unless told, on a terminal when the network can reach it",
  },
  completions: COMPLETIONS_FLAG,
} as const satisfies FlagTable;

/** A ROOT that is called so is ./sign, or ./cache. */
const SIGN_WORD = "sign";
const CACHE_WORD = "cache";

/** The command line of serv6. */
export const SERV6: Command<typeof FLAGS> = {
  name: "serv6",
  summary:
    "Serves files over plain TCP, as fast as the kernel can. Nothing outside ROOT is reached.",
  flags: FLAGS,
  operands: {
    name: "root",
    description: "a directory, one file, or s3://bucket/prefix; without it the current folder",
    max: 1,
  },
  examples: [
    ["serv6", "this folder, for this machine alone"],
    ["serv6 models -b 0.0.0.0", "for the network: there is no password, so mind who is on it"],
    ["serv6 backup.tar -p 0", "one file, on a free port"],
    ["serv6 s3://bucket/models", "objects, with the keys of AWS_ACCESS_KEY_ID or ~/.aws"],
    ["serv6 s3://bucket --cache /var/cache/serv6 --cache-size 100G", "kept on this disk"],
    ["serv6 /srv/data --log json", "a service: SIGTERM finishes what is under way"],
    ["serv6 -c /etc/serv6.toml --check", "is all right that is said in a file?"],
    ["cli6 s6://HOST:6464/README.md", "on the other side, or with nothing but nc:"],
    ["printf 'README.md\\n' | nc HOST 6464", ""],
  ],
  sections: [
    {
      title: "Links",
      lines: ["serv6 sign PATH makes a link to one path, good for a time (serv6 sign --help)"],
    },
    {
      title: "Cache",
      lines: ["serv6 cache tells of it, empties it and fills it (serv6 cache --help)"],
    },
    {
      title: "Exit status",
      lines: [
        "0 stopped by a signal   2 usage   3 no such ROOT   4 ROOT can't be read",
        "7 can't listen          9 the log can't be written       1 anything else",
      ],
    },
  ],
};

/** Runs the command; resolves to its exit status, or never while it serves. */
export async function serv6(args: readonly string[], env: Environment): Promise<number> {
  try {
    if (args[0] === SIGN_WORD) {
      const { sign } = await import("./sign.ts");
      return await sign(args.slice(1), env);
    }
    if (args[0] === CACHE_WORD) {
      const { cache } = await import("./cache.ts");
      return await cache(args.slice(1), env);
    }
    // What is asked for is on the command line; what the rest says is read by configured().
    const invocation = parseFlags(SERV6, args, env, { wrong: () => {} });
    if (invocation.asks !== "run") return printAnswer(await answerTo(invocation.asks, SERV6));
    const { values: asked } = invocation;
    if (asked.completions !== undefined) {
      const { completionScript } = await import("../flags/completions.ts");
      return printAnswer(await completionScript(asked.completions, SERV6));
    }
    const name = asked["new-token"];
    if (name !== undefined) {
      const { token, entry } = newToken(name);
      say(entry);
      return printAnswer(token);
    }
    if (asked.check) return await check(args, env);
    if (asked["print-config"]) return await printConfig(args, env);
    const worker = workerOf(env);
    const read = configured(SERV6, args, env, { text: worker?.config });
    if (worker === null && read.unused !== null) say(`serv6: warning: ${read.unused}\n`);
    if (read.values.workers > 1 && worker === null && !read.values["self-test"]) {
      const { supervise } = await import("./supervisor.ts");
      return await supervise(args, env, (makes) => supervisedBy(args, env, makes));
    }
    return await serveAs(worker, read, env);
  } catch (error) {
    const word = [SIGN_WORD, CACHE_WORD].find((each) => each === args[0]);
    return explain(error, word === undefined ? "serv6" : `serv6 ${word}`);
  }
}

// --- internal ---

/** Serves as one process, or as a worker: until a signal ends it. */
async function serveAs(
  worker: Worker | null,
  { options, values }: Configured,
  env: Environment,
): Promise<number> {
  const { quiet, qr, "self-test": tested } = values;
  const places = worker === null ? activated(env) : null;
  const made = places && { places, admin: options.adminAddress ?? null, colleague: null };
  const server = serve(tested ? { ...options, port: 0 } : options, worker?.given ?? made);
  const notify = worker === null ? new Notify(env) : null;
  const words = welcome(server, { quiet, qr, terminal: kernel.isTerminal(STDERR) });
  const { sandbox, lines } = wall(server, options, values);
  if (tested) {
    const { selfTest } = await import("./selftest.ts");
    say(lines);
    return await selfTest(server, sandbox.confinement, options.s3 !== undefined);
  }
  if (worker?.says !== false) {
    say(words + lines);
    void warnOf(server);
  }
  const stopped = worker === null ? untilStopped(server, notify) : untilEnded(server);
  worker?.begun(server);
  notify?.ready("serves");
  return await stopped;
}

/** What command line, environment and file say now, for a server of several workers. */
function supervisedBy(
  args: readonly string[],
  env: Environment,
  makes: boolean | undefined,
): Supervised {
  const { options, values, file } = configured(SERV6, args, env, makes === false ? { makes } : {});
  const { workers, sandbox } = values;
  return { options, workers, sandbox, config: file?.text ?? null };
}

/** Writes to the descriptor: creating process.stderr takes 10 ms of a start of 40 ms. */
function say(text: string): void {
  writeFully(STDERR, Buffer.from(text));
}

/** A store behind a network is asked once, so that a mistake in its keys shows at start. */
async function warnOf({ store }: Server): Promise<void> {
  const why = await store.check?.();
  if (why != null) say(`serv6: warning: ${why}\n`);
}

/** Says everything that is wrong, a line each; "nothing" is an answer, and goes to stdout. */
async function check(args: readonly string[], env: Environment): Promise<number> {
  const { faultsOf } = await import("./checking.ts");
  const faults = await faultsOf(SERV6, args, env);
  say(faults.map((fault) => `serv6: ${fault}\n`).join(""));
  return faults.length > 0 ? EXIT.usage : printAnswer("nothing is wrong");
}

/** Prints all settings, also where some are wrong: they show what is meant. */
async function printConfig(args: readonly string[], env: Environment): Promise<number> {
  const { configText } = await import("./printconfig.ts");
  let faults = "";
  const wrong = ({ message }: Error): void => void (faults += `serv6: ${message}\n`);
  const printed = printAnswer(
    configText(SERV6, configured(SERV6, args, env, { wrong, makes: false }), env),
  );
  say(faults);
  return faults === "" ? printed : EXIT.usage;
}

/** The first signal lets transfers under way finish, within --grace; a second one exits at once. */
function untilStopped(server: Server, notify: Notify | null): Promise<ExitStatus> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals, number: number): void => {
      if (stopping) process.exit(128 + number);
      stopping = true;
      notify?.stopping();
      const left = server.counters.connections;
      // Never waits for a reader of stderr: the server has to go on for the length of its grace.
      if (left > 0 && kernel.pollOut(STDERR, 0) === 1)
        say(`${signal}: finishing, again to stop now\n`);
      void server.stop().then(() => resolve(EXIT.done));
    };
    process.on("SIGINT", () => stop("SIGINT", 2));
    process.on("SIGTERM", () => stop("SIGTERM", 15));
    // Without a file there is nothing to do, and it must not end the server as it does by itself.
    process.on("SIGUSR1", () => server.reopenLog());
    // A unit's reload must not end the service; what changes is read again without being told.
    if (notify?.heard === true) {
      process.on("SIGHUP", () => {
        notify.reloading();
        say("serv6: one process has no reload: --workers 2, or a restart, takes all that is new\n");
        notify.ready("serves");
      });
    }
  });
}

/** A worker: who started it says what is to be said, and gets the terminal's signals as well. */
function untilEnded(server: Server): Promise<ExitStatus> {
  return new Promise((resolve) => {
    process.on("SIGINT", () => {});
    process.on("SIGHUP", () => {});
    process.on("SIGUSR1", () => server.reopenLog());
    process.on("SIGTERM", () => void server.stop().then(() => resolve(EXIT.done)));
  });
}

function explain(error: unknown, command: string): ExitStatus {
  if (error instanceof UsageError) {
    say(`serv6: ${error.message}; try ${command} --help\n`);
    return EXIT.usage;
  }
  if (error instanceof Failure) {
    say(`serv6: ${error.message}\n`);
    return exitOf(error.kind);
  }
  throw error;
}
