/** A unix datagram socket that takes messages, which node:dgram has none of. */
import { dlopen } from "bun:ffi";
import { ofLibc } from "../../src/sys/libraries.ts";

const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  close: { args: ["i32"], returns: "i32" },
} as const;

/** It never blocks (MSG_DONTWAIT). */
const NOW = 0x40;

/** Messages that come to `path`; "@" in front is an abstract name (`using` closes it). */
export class Datagrams {
  readonly #c = library();
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(65_536);
  readonly messages: string[] = [];

  constructor(path: string) {
    const name = Buffer.from(`${path}\0`);
    const abstract = path.startsWith("@");
    if (abstract) name[0] = 0;
    const address = Buffer.concat([new Uint8Array([1, 0]), abstract ? name.subarray(0, -1) : name]);
    this.#fd = this.#c.socket(1, 2, 0);
    if (this.#c.bind(this.#fd, address, address.length) < 0) throw new Error(`no socket ${path}`);
  }

  /** All messages so far. */
  read(): readonly string[] {
    for (;;) {
      const length = Number(this.#c.recv(this.#fd, this.#buffer, this.#buffer.length, NOW));
      if (length < 0) return this.messages;
      this.messages.push(this.#buffer.toString("latin1", 0, length));
    }
  }

  [Symbol.dispose](): void {
    this.#c.close(this.#fd);
  }
}

function library() {
  const symbols = ofLibc((name) => dlopen(name, SYMBOLS).symbols);
  if (symbols === null) throw new Error("no libc");
  return symbols;
}
