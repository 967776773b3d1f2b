/**
 * The request that a connection is answering: what was asked, what of the reply is out, and how the
 * rest of it gets to the Sender. One at a time, so each connection has one of these for all its
 * requests.
 */
import { shownAddress } from "../guard/address.ts";
import { clock } from "../sys/clock.ts";
import { tlsFaultOf } from "../sys/errno.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Refusal } from "../wire/errors.ts";
import type { Reply } from "../wire/reply.ts";
import type { Answer, FileReply, PartReply } from "./answer.ts";
import type { Sender } from "./sender.ts";
import type { Asked, Door, Service } from "./service.ts";

/** What the log tells of a refusal that no line was the cause of. */
const NOTHING_ASKED: Asked = { verb: "-", path: "" };

/** A request and its reply. */
export class Exchange {
  /** Characters of the reply that are out, before the rest of it is known. */
  promised = 0;
  /** Content bytes of the file that is on its way, or of the parts that are out; 0 for none. */
  sending = 0;
  /** What follows the parts of a reply that are out; null while none is on its way. */
  next: (() => Answer) | null = null;
  /** Parts of a reply are out, and not all: whatever is wrong now, only RST can tell it. */
  partly = false;
  /** The head of the reply, of which the log of HTTP has the status. */
  #head: string | Uint8Array = "";
  readonly #service: Service;
  readonly #sender: Sender;
  readonly #address: string;
  /** The request, or null where none is being answered. */
  line: ByteString | null = null;
  /** When it was read, in clock.now's milliseconds. */
  #began = 0;

  /** `address` is the peer's. */
  constructor(service: Service, sender: Sender, address: string) {
    this.#service = service;
    this.#sender = sender;
    this.#address = address;
  }

  /** A request has been read. */
  begin(line: ByteString): void {
    this.line = line;
    this.#began = clock.now;
  }

  /** Sends a whole reply. `alone`: nothing will be gathered with it. */
  reply({ head, bytes, content }: Reply, door: Door | null, alone: boolean): void {
    this.#send(head, bytes, alone);
    this.end(door, "OK", this.sending + content);
  }

  /** Sends a part of a reply. */
  part({ head, bytes, content, next }: PartReply): void {
    this.#send(head, bytes, false);
    this.promised = 0;
    this.sending += content;
    this.partly = true;
    this.next = next;
  }

  /** Begins to send a file: it is the Sender's, who says when it is out. */
  file(answer: FileReply): void {
    const head = answer.head.subarray(this.promised);
    this.#sender.file(this.promised === 0 ? answer : { ...answer, head }, this.#service.zeroCopy);
    this.#head = answer.head;
    this.sending = answer.content;
  }

  /** Sends what the reply begins with, where it is known: a peer that is gone answers with RST. */
  promise(promise: string): void {
    if (this.promised > 0 || promise === "") return;
    this.#sender.text(promise);
    this.promised = promise.length;
  }

  /**
   * Says no in the dialect of `speaker`; false where something else was promised, so that only RST
   * can tell it. `ends`: nothing is answered behind it.
   */
  refuse(refusal: Refusal, speaker: Door, door: Door | null, ends: boolean): boolean {
    if (this.promised > 0 || this.partly) {
      this.end(door, "RESET", this.sending);
      return false;
    }
    this.#head = speaker.refusal(refusal, this.line, ends);
    this.#sender.text(this.#head);
    this.end(door, refusal.code, 0);
    return true;
  }

  /** The file that is on its way, or null. */
  transfer(door: Door | null): { path: ByteString; size: number; sent: number } | null {
    const { transfer } = this.#sender;
    if (transfer === null || this.line === null) return null;
    const path = door?.asked(this.line).path ?? "";
    return { path, size: transfer.length, sent: transfer.sent };
  }

  /** Counts a request that was answered or failed, and logs it: nothing more is sent for it. */
  end(door: Door | null, status: string, bytes: number): void {
    const { counters, log } = this.#service;
    counters.requests += 1;
    if (status !== "OK") counters.refused += 1;
    const took = this.line === null ? 0 : clock.now - this.#began;
    counters.doors[door?.name ?? "none"]?.count(status, bytes, Math.max(0, took));
    if (log.on) {
      const line = this.line;
      const { verb, path } = (line === null ? null : door?.asked(line)) ?? NOTHING_ASKED;
      const ms = line === null ? 0 : performance.now() - this.#began;
      const peer = shownAddress(this.#address);
      const http = door?.heads === true ? { request: line ?? "", code: this.#code } : null;
      log.request({ peer, door: door?.name ?? "-", verb, path, status, bytes, ms, http });
    }
    this.promised = 0;
    this.sending = 0;
    this.next = null;
    this.partly = false;
    this.line = null;
    this.#head = "";
  }

  /**
   * Counts and logs an error of ours, that this connection is reset for; or what a peer sent by TLS
   * that is none (an alert in the open, junk, a wish to negotiate anew), which is no fault of ours.
   */
  crashed(error: unknown): void {
    const { counters, log } = this.#service;
    const theirs = error instanceof Error ? tlsFaultOf(error) : null;
    if (theirs !== null) {
      log.note(`the TLS of ${shownAddress(this.#address)} broke: ${theirs}`);
      return;
    }
    counters.crashes += 1;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.fault(`internal error, connection from ${shownAddress(this.#address)} reset`, text);
  }

  // --- internal ---

  /** `200` of "HTTP/1.1 200 OK": what begins before its head is known begins well. */
  get #code(): string {
    const start = Buffer.from(this.#head.slice(9, 12)).toString("latin1");
    return start === "" ? "200" : start;
  }

  #send(head: string, bytes: Uint8Array | null, alone: boolean): void {
    if (head !== "") {
      this.#head = head;
      this.#sender.text(head.slice(this.promised));
    }
    // They are referenced until they are out.
    if (bytes !== null) this.#sender.bytes(bytes, alone);
  }
}
