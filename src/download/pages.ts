/**
 * The pages of one folder's list, whose order is checked: names ascend strictly, so that a server
 * can't keep us for ever with the same ones. It does not look at what a name is, and holds at most
 * the page behind the one it gave.
 */
import type { ByteString } from "../wire/bytes.ts";
import type { LeftName } from "../wire/entry.ts";
import type { ListPage, NamedEntry } from "../client/exchange.ts";
import type { ClientError } from "../client/error.ts";

/** What the pages are taken from. */
export interface PageSource {
  /** Asks for the page behind the name `after`; "" starts at the beginning. */
  ask(after: ByteString): Promise<ListPage>;
  /** The error for a name that is not behind the one before it; null: more= and no entry. */
  disorder(name: ByteString | null): ClientError;
  /**
   * Asks for a page while its caller works on the one before, so that server and client work at
   * once. More than one can't be asked for ahead: after= takes the last name of the page before.
   */
  readonly ahead: boolean;
}

/** A page as far as it can be believed. */
export interface CheckedPage {
  /** In order. */
  readonly entries: readonly NamedEntry[];
  /** What the server leaves out, in order; none of a page that is broken. */
  readonly left: readonly LeftName[];
  /** Why nothing behind them counts; null when all of the page is there. */
  readonly broken: ClientError | null;
}

/** One folder's list. */
export class Pages {
  readonly #source: PageSource;
  /** The last name so far; null before there was one: "" is one, if a bad one. */
  #last: ByteString | null = null;
  #done = false;
  #id = "";
  #next: Promise<ListPage> | null = null;

  constructor(source: PageSource) {
    this.#source = source;
  }

  /** True when the last page was had. */
  get done(): boolean {
    return this.#done;
  }

  /**
   * The folder's own, as the last page told it; "" where the server does not tell, or none came.
   */
  get id(): string {
    return this.#id;
  }

  /** The next page; after one that is broken there is none. Rejects with ClientError. */
  async next(): Promise<CheckedPage> {
    const { entries, more, left, id } = await (this.#next ?? this.#source.ask(this.#last ?? ""));
    this.#next = null;
    this.#done = !more;
    this.#id = id;
    const before = this.#last;
    for (const [nth, { name }] of entries.entries()) {
      if (this.#last !== null && name <= this.#last) {
        return { entries: entries.slice(0, nth), left: [], broken: this.#source.disorder(name) };
      }
      this.#last = name;
    }
    let last = before;
    for (const { name } of left) {
      if (last !== null && name <= last) {
        return { entries, left: [], broken: this.#source.disorder(name) };
      }
      last = name;
    }
    // The page ends with whichever comes later.
    if (last !== null && (this.#last === null || last > this.#last)) this.#last = last;
    const endless = more && entries.length + left.length === 0;
    if (more && !endless && this.#source.ahead) {
      this.#next = this.#source.ask(this.#last ?? "");
      // Who awaits it is told; it may fail before, or be given up.
      this.#next.catch(() => undefined);
    }
    return { entries, left, broken: endless ? this.#source.disorder(null) : null };
  }
}
