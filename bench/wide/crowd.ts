/**
 * `bun bench/wide/crowd.ts PORT CLIENTS NAMES`: so many connections list the root of a server page
 * by page, all at once, and each counts what it got. A process of its own, so that it holds up no
 * measurement. Ends with 1 when one of them did not get NAMES names.
 */
const [port = 0, clients = 0, names = 0] = process.argv.slice(2).map(Number);

/** One client: asks for the next page as soon as it has the last one. */
class Walker {
  readonly done = Promise.withResolvers<number>();
  #chunks: Buffer[] = [];
  #bytes = 0;
  #wanted = -1;
  #more = false;
  #count = 0;

  data(socket: { write(text: string): number }, chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    if (this.#wanted < 0 && !this.#head()) return;
    if (this.#bytes < this.#wanted) return;
    const text = Buffer.concat(this.#chunks).toString("latin1");
    this.#chunks = [];
    this.#bytes = 0;
    this.#wanted = -1;
    if (!this.#more) return this.done.resolve(this.#count);
    const last = text.slice(text.lastIndexOf("\n", text.length - 2) + 1, -1);
    socket.write(`LIST after=${last.slice(last.lastIndexOf(" ") + 1)} /\n`);
  }

  /** Reads the reply's line; false while it is not complete. */
  #head(): boolean {
    const text = Buffer.concat(this.#chunks).toString("latin1");
    const match = /^OK (\d+) count=(\d+) more=([01])\n/.exec(text);
    if (match === null) {
      if (text.includes("\n")) this.done.reject(new Error(text.split("\n")[0]));
      return false;
    }
    this.#wanted = match[0].length + Number(match[1]);
    this.#count += Number(match[2]);
    this.#more = match[3] === "1";
    return true;
  }
}

const counts = await Promise.all(
  Array.from({ length: clients }, async () => {
    const walker = new Walker();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (self, chunk) => walker.data(self, chunk),
        close: () => walker.done.reject(new Error("closed before its end")),
      },
    });
    socket.write("LIST /\n");
    const count = await walker.done.promise;
    socket.end();
    return count;
  }),
);
const wrong = counts.filter((count) => count !== names);
if (wrong.length > 0) {
  console.error(`${wrong.length} of ${clients} clients got ${wrong[0]} names instead of ${names}`);
  process.exit(1);
}
