/**
 * What a door answers to a line. It is a value: the connection delivers it, so that doors know
 * neither sockets nor the order in which replies leave.
 */
import type { OpenFile } from "../store/store.ts";
import type { Refusal } from "../wire/errors.ts";
import type { Reply } from "../wire/reply.ts";
import type { StoreState } from "./state.ts";

/** A reply in memory, one out of a file, why there is none, or that the store answers later. */
export type Answer = Reply | FileReply | Refusal | StoreState;

/** A reply whose content leaves from a file's descriptor. */
export interface FileReply {
  readonly kind: "file";
  /** Goes out first; NO_HEAD where it lies in the descriptor, or there is none. */
  readonly head: Uint8Array;
  readonly file: OpenFile;
  /** Where in the file's descriptor the transfer begins. */
  readonly at: bigint;
  /** Bytes of the transfer, > 0. */
  readonly length: number;
  /** Those of them that are content, for the log. */
  readonly content: number;
}

/** For a reply that has no head, or has it in one piece with the content. */
export const NO_HEAD = new Uint8Array(0);
