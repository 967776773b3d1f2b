/**
 * A page of a folder that may not be in memory: the thread for looks opens it and reads its records
 * where that is needed, then the page itself is made on the loop. It owns the folder's descriptor
 * until there is a page, which has it from then on.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import { HERE } from "../wire/path.ts";
import { type LookAnswer, type LookAsked, readFacts } from "./look.ts";
import type { Looks } from "./looks.ts";
import { NamesAhead } from "./namesahead.ts";
import type { PageStep, PageWork } from "./pages.ts";
import type { Root } from "./root.ts";

/** Bytes of records that the thread reads at a time: 10,000 names, 3 ms. */
const RECORDS_ASKED = 524_288;

/** How the page itself is made. */
export interface FolderMaking {
  /** The records are in memory. */
  readonly known: boolean;
  /** Takes over the open folder `fd`: its page, or -errno. */
  begin(fd: number, ahead: NamesAhead): PageWork | number;
}

/** Ignored. */
const facts = new FileStat();

/** A page on its way. */
export class FolderPage implements PageWork {
  wake: () => void = () => {};
  readonly #looks: Looks;
  readonly #peer: string;
  readonly #folder: ByteString;
  readonly #making: FolderMaking;
  readonly #ahead: NamesAhead;
  /** The folder's, null while it is not open, or -errno. */
  #fd: number | null;
  #read: boolean;
  /** The thread has the question, and the descriptor in it. */
  #sent = false;
  #closed = false;
  #page: PageWork | null = null;

  /** `fd` is the open folder, taken over, or null; `peer` uses its turns at the thread. */
  constructor(
    looks: Looks,
    root: Root,
    peer: string,
    folder: ByteString,
    fd: number | null,
    making: FolderMaking,
  ) {
    this.#looks = looks;
    this.#peer = peer;
    this.#folder = folder;
    this.#fd = fd;
    this.#making = making;
    this.#read = making.known;
    this.#ahead = new NamesAhead(looks, root, peer, () => this.wake());
  }

  step(): PageStep {
    if (this.#page !== null) return this.#page.step();
    if (this.#fd === null) {
      return this.#ask({ kind: "name", path: this.#folder, want: "folder" }, (answer) => {
        this.#fd = typeof answer === "number" ? answer : readFacts(answer, facts);
      });
    }
    if (this.#fd < 0) return this.#fd;
    if (!this.#read) {
      const asked = { kind: "records", folder: this.#fd, bytes: RECORDS_ASKED } as const;
      return this.#ask(asked, (answer) => {
        // What fails is met again, and told, by the page.
        this.#read = Number(answer) <= 0;
        if (this.#read) this.#rewind();
      });
    }
    const page = this.#making.begin(this.#fd, this.#ahead);
    this.#fd = null;
    if (typeof page === "number") return page;
    this.#page = page;
    return null;
  }

  close(): void {
    this.#closed = true;
    this.#ahead.close();
    this.#page?.close();
    if (!this.#sent) this.#letGo();
  }

  // --- internal ---

  #ask(asked: LookAsked, answered: (answer: LookAnswer) => void): "waits" {
    const closed = (): boolean => this.#closed;
    this.#looks.add({
      peer: this.#peer,
      get gone() {
        return closed();
      },
      ask: () => {
        this.#sent = true;
        return asked;
      },
      answered: (answer) => {
        this.#sent = false;
        answered(answer);
        if (closed()) this.#letGo();
        else this.wake();
      },
      // Of what is above no line throws; whoever waits is not to wait for ever.
      crash: () => {
        this.#letGo();
        this.#fd = -ERRNO.EIO;
        this.wake();
      },
    });
    return "waits";
  }

  /** Another descriptor, at the first record. */
  #rewind(): void {
    if (this.#fd === null) return;
    const fd = kernel.openat(this.#fd, HERE, OPEN.readOnly | OPEN.directory);
    kernel.close(this.#fd);
    this.#fd = fd;
  }

  #letGo(): void {
    if (this.#fd !== null && this.#fd >= 0) kernel.close(this.#fd);
    this.#fd = null;
  }
}
