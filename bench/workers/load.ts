/**
 * A load that compares every byte while workers die or are replaced. Arguments: port, seconds, the
 * file that is asked for as "/file". 32 connections stay and ask by S6/1, as fast as the replies
 * come; 16 bring one file each by a bare path, one connection behind the other.
 *
 * A reply that ends early or never comes is cut; one with other bytes is wrong. A connection that
 * stays and is closed between two replies is neither: the request that met the close is asked again
 * on another one (as RFC 9112 9.3.1 has it), and counted as asked again. Prints the counts as JSON.
 */
import { readFileSync } from "node:fs";

const KEPT = 32;
const SINGLE = 16;
const HEAD = /^OK ([0-9]+) [^\n]*\n/;

const [port = 0, seconds = 0] = process.argv.slice(2, 4).map(Number);
const content = readFileSync(process.argv[4] ?? "");
const until = performance.now() + seconds * 1000;
/** What the load process says at the end. */
export interface LoadCounts {
  requests: number;
  again: number;
  cut: number;
  wrong: number;
  connections: number;
  slowestMs: number;
}

const counts: LoadCounts = {
  requests: 0,
  again: 0,
  cut: 0,
  wrong: 0,
  connections: 0,
  slowestMs: 0,
};

interface State {
  bytes: Buffer[];
  length: number;
  /** Whole replies on this connection. */
  replies: number;
  askedAt: number;
  done: (ending: string) => void;
}

/** One connection: how it ended, and what became of it. */
function connection(kept: boolean): Promise<void> {
  return new Promise((resolve) => {
    const state: State = { bytes: [], length: 0, replies: 0, askedAt: 0, done: () => {} };
    const request = Buffer.from(kept ? "READ /file\n" : "file\n");
    let over = false;
    const end = (how: string): void => {
      if (over) return;
      over = true;
      ended(state, kept, how);
      resolve();
    };
    counts.connections += 1;
    const ask = (socket: Bun.Socket<undefined>): void => {
      state.askedAt = performance.now();
      socket.write(request);
    };
    Bun.connect({
      ...{ hostname: "127.0.0.1", port, allowHalfOpen: false },
      socket: {
        open: ask,
        data(socket, chunk: Buffer) {
          state.bytes.push(Buffer.from(chunk));
          state.length += chunk.length;
          if (!kept || !whole(state)) return;
          if (performance.now() < until) ask(socket);
          else {
            state.askedAt = 0;
            end("ours");
            socket.end();
          }
        },
        close: (_, error) => end(error === undefined || error === null ? "closed" : "reset"),
        end: () => end("closed"),
        error: () => end("reset"),
        connectError: () => end("refused"),
      },
    }).catch(() => end("refused"));
  });
}

/** Takes a whole reply of S6/1; false where it is not here yet. */
function whole(state: State): boolean {
  if (state.length < content.length) return false;
  const all = Buffer.concat(state.bytes);
  const head = HEAD.exec(all.toString("latin1", 0, 200));
  if (head === null) {
    counts.wrong += 1;
    return true;
  }
  if (all.length < head[0].length + content.length) return false;
  answered(state, all.subarray(head[0].length));
  state.bytes = [];
  state.length = 0;
  state.replies += 1;
  return true;
}

function answered(state: State, body: Buffer): void {
  counts.requests += 1;
  counts.slowestMs = Math.max(counts.slowestMs, performance.now() - state.askedAt);
  if (!content.equals(body)) counts.wrong += 1;
}

function ended(state: State, kept: boolean, how: string): void {
  if (how === "ours") return;
  const whole = state.length >= content.length;
  if (!kept && how === "closed" && whole) answered(state, Buffer.concat(state.bytes));
  else if (kept && state.length === 0 && state.replies > 0) counts.again += 1;
  else counts.cut += 1;
}

async function chain(kept: boolean): Promise<void> {
  while (performance.now() < until) await connection(kept);
}

await Promise.all([
  ...Array.from({ length: KEPT }, () => chain(true)),
  ...Array.from({ length: SINGLE }, () => chain(false)),
]);
console.log(JSON.stringify(counts));
