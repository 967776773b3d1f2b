/**
 * Has a server read what is below a path, so that its cache has it: asks for each file and throws
 * the bytes away. It is a client like others, and the server's bounds hold for it.
 */
import type { Target } from "../../client/address.ts";
import type { ConnectionSettings } from "../../client/wireclient.ts";
import { ReconnectingClient } from "../../client/reconnecting.ts";
import { protocolError } from "../../client/error.ts";
import { Pages } from "../../download/pages.ts";
import type { Sink } from "../../receive/sink.ts";
import type { ByteString } from "../../wire/bytes.ts";
import { printable } from "../../wire/printable.ts";

/** Files at once. */
const LANES = 4;

/** Takes everything and keeps nothing. */
class NoSink implements Sink {
  written = 0;
  begin(): void {}
  write(chunk: Uint8Array): void {
    this.written += chunk.length;
  }
  end(): void {}
}

/** One path of one server. */
export class Warming {
  files = 0;
  bytes = 0;
  readonly #path: ByteString;
  readonly #lanes: ReconnectingClient[];

  constructor({ server, path }: Target, settings: ConnectionSettings) {
    this.#path = path;
    this.#lanes = Array.from({ length: LANES }, () => new ReconnectingClient(server, settings));
  }

  /**
   * Reads the file, or all files below the folder. Rejects with ClientError at the first failure.
   */
  async run(): Promise<{ files: number; bytes: number }> {
    const [first] = this.#lanes;
    try {
      const { type } = await first!.ask((client) => client.stat(this.#path));
      if (type === "file") await this.#read(first!, this.#path);
      else await this.#readBelow(first!, this.#path.replace(/\/*$/, ""));
      return { files: this.files, bytes: this.bytes };
    } finally {
      for (const lane of this.#lanes) lane.close();
    }
  }

  // --- internal ---

  /**
   * Names of folders that are still to be listed are held, and what the server calls those that
   * were: some 100 bytes each. A folder that links lead to as well is read once, so that those that
   * lead back to one above end.
   */
  async #readBelow(control: ReconnectingClient, top: ByteString): Promise<void> {
    const folders = [top];
    const had = new Set<string>();
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const pages = pagesOf(control, folder);
      for (let nth = 0; !pages.done; nth++) {
        const { entries, broken } = await pages.next();
        if (nth === 0 && had.has(pages.id)) break;
        // A server that does not tell says "" of each.
        if (pages.id !== "") had.add(pages.id);
        const files: ByteString[] = [];
        for (const { name, type } of entries) {
          (type === "dir" ? folders : files).push(`${folder}/${name}`);
        }
        await this.#readAll(files);
        if (broken !== null) throw broken;
      }
    }
  }

  async #readAll(files: ByteString[]): Promise<void> {
    const work = async (lane: ReconnectingClient): Promise<void> => {
      for (let file = files.pop(); file !== undefined; file = files.pop()) {
        await this.#read(lane, file);
      }
    };
    await Promise.all(this.#lanes.map(work));
  }

  async #read(lane: ReconnectingClient, file: ByteString): Promise<void> {
    const sink = new NoSink();
    await lane.ask((client) => client.read(file, sink));
    this.files += 1;
    this.bytes += sink.written;
  }
}

// --- internal ---

function pagesOf(control: ReconnectingClient, folder: ByteString): Pages {
  return new Pages({
    ahead: false,
    ask: (after) => control.ask((client) => client.list(folder === "" ? "/" : folder, after)),
    disorder: (name) =>
      protocolError(`${printable(folder)}: its list has no order ("${printable(name ?? "")}")`),
  });
}
