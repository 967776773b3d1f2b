/**
 * A fake server of requests: cuts them, notes them, and answers each honestly or as its test says.
 * What a request looks like and what is honest is its dialect's (scripted.ts, httpfake.ts).
 */
import { type Ending, type FakeConnection, FakeServer } from "../client/fake.ts";

/** What goes out: bytes, and how the connection ends behind them. */
export interface Answer {
  readonly bytes: string | Uint8Array | readonly (string | Uint8Array)[];
  readonly ending?: Ending;
}

/** Answers a request its own way; undefined: honestly; null: not at all. */
export type Misbehave<Asked> = (asked: Asked, honest: () => Buffer) => Answer | null | undefined;

/** The server (`using` closes it). */
export abstract class Misbehaving<Asked> implements Disposable {
  /** Every request so far. */
  readonly asked: Asked[] = [];
  readonly fake: FakeServer;
  readonly #end: string;
  readonly #misbehave: Misbehave<Asked>;
  readonly #read = new WeakMap<FakeConnection, number>();

  /** `end` stands behind each request. */
  constructor(end: string, misbehave: Misbehave<Asked>) {
    this.#end = end;
    this.#misbehave = misbehave;
    this.fake = new FakeServer((connection) => this.#requests(connection));
  }

  [Symbol.dispose](): void {
    this.fake[Symbol.dispose]();
  }

  // --- a dialect's own ---

  /** Reads request `nth` of all, from 0, without its end. */
  protected abstract parse(text: string, nth: number, connection: FakeConnection): Asked;
  protected abstract honest(asked: Asked): Buffer;

  // --- internal ---

  #requests(connection: FakeConnection): void {
    const texts = connection.received.split(this.#end).slice(0, -1);
    const done = this.#read.get(connection) ?? 0;
    this.#read.set(connection, texts.length);
    for (const text of texts.slice(done)) {
      const asked = this.parse(text, this.asked.length, connection);
      this.asked.push(asked);
      const answer = this.#misbehave(asked, () => this.honest(asked));
      if (answer === null) continue;
      const { bytes, ending = "open" } = answer ?? { bytes: this.honest(asked) };
      connection.say(bytes, ending);
      if (ending !== "open") return;
    }
  }
}
