/**
 * The thread for looks: does what look.ts says, one after the other, and answers each in order. It
 * has the root's descriptor from the store, which keeps it open until this thread has ended, and
 * closes nothing that it was given. What it opens is the store's from its answer on: the threads of
 * a process have one table of descriptors.
 */
import { type LookAsked, lookFor, type LookRoot } from "./look.ts";
import { Root } from "./root.ts";

// --- internal ---

declare const self: Worker;

let root: Root | null = null;

self.onmessage = ({ data }: MessageEvent<LookRoot | LookAsked>) => {
  if (data.kind === "root") {
    const { fd, name, policy, only } = data.parts;
    root = new Root(fd, name, policy, only);
  } else if (root !== null) self.postMessage(lookFor(root, data));
};
