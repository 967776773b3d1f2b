/**
 * `cli6 hash`: digests in the format of sha256sum. The server computes them from the bytes that it
 * would send, so that a local file can be compared with a remote one without a transfer.
 */
import { parseTarget, type ServerAddress, type Target } from "../../client/address.ts";
import { protocolError, refusedError } from "../../client/error.ts";
import { httpNameOf } from "../../client/httpaddress.ts";
import { about } from "../../client/message.ts";
import {
  type Algo,
  CHUNK_BYTES_DEFAULT,
  DIGESTS_MAX,
  XXH3_CHUNK_BYTES_MAX,
} from "../../wire/digest.ts";
import { NUMBER_MAX } from "../../wire/number.ts";
import { printable } from "../../wire/printable.ts";
import { sumLine } from "../../wire/sumline.ts";
import { connectionFlags, meant, connectionSettingsOf } from "../flags/connection.ts";
import { CONNECTION, QUIET_FLAG } from "../flags/general.ts";
import { type Command, type FlagTable, type Operand, UsageError } from "../flags/flags.ts";
import { TextOutput } from "../output/text.ts";
import { Report } from "../output/report.ts";
import { ClientsByServer } from "../../client/clients.ts";
import type { Subcommand } from "../flags/subcommand.ts";
import { oneOf, size } from "../flags/values.ts";
import type { ByteString } from "../../wire/bytes.ts";

/** Milliseconds without a byte: a server may read terabytes before it has the first digest. */
export const HASH_TIMEOUT_MS = 3_600_000;

const DIGEST = "Digest";

const BASE = connectionFlags(HASH_TIMEOUT_MS);

const FLAGS = {
  algo: {
    type: "string",
    alias: "a",
    group: DIGEST,
    valueHint: "name",
    reader: oneOf("sha256", "xxh3"),
    description: "sha256, or xxh3: faster, by chunks",
    default: "sha256",
  },
  chunk: {
    type: "string",
    group: DIGEST,
    valueHint: "size",
    reader: size({ min: 4096, max: Number.MAX_SAFE_INTEGER }),
    description: "bytes under one digest; xxh3: 4M, at most 16M",
  },
  ...BASE,
  timeout: {
    ...BASE.timeout,
    group: CONNECTION,
    description: "give up on an answer after this time",
  },
  quiet: QUIET_FLAG,
} as const satisfies FlagTable;

const COMMAND: Command<typeof FLAGS> = {
  name: "cli6 hash",
  summary: "Prints digests of files as sha256sum does; the server computes them.",
  flags: FLAGS,
  operands: { name: "path|url...", description: "files", max: Infinity },
  examples: [
    ["cli6 hash -s nas big.iso", "HEX  big.iso"],
    ["cli6 hash s6://nas/big.iso | sha256sum -c", "is the big.iso in this folder the same?"],
    ["cli6 hash --chunk 1G s6://nas/big.iso", "where do they differ? HEX  OFFSET  big.iso"],
    ["cli6 hash -a xxh3 s6://nas/big.iso", "the same in chunks of 4M, faster"],
  ],
  sections: [
    {
      title: "Lines",
      lines: [
        "HEX  NAME for a whole file, HEX  OFFSET  NAME for each chunk. NAME is the path as it was",
        "given, or a URL's last name. As with sha256sum, a line starts with \\ when its name has a",
        "backslash, line feed or carriage return, written \\\\, \\n and \\r. On a terminal other",
        "controls are escaped too. xxh3 is XXH3 with 64 bits and seed 0.",
      ],
    },
  ],
};

/** What to compute. */
export interface HashOptions {
  readonly algo: Algo;
  /** Bytes under one digest; null: one digest for the whole file. */
  readonly chunk: number | null;
}

/** The command. */
export const HASH: Subcommand<typeof FLAGS> = {
  command: COMMAND,
  async run({ values, operands }) {
    const { server, algo, quiet, chunk: asked } = values;
    if (operands.length === 0) throw new UsageError("hash needs a PATH or URL");
    const chunk = asked ?? (algo === "xxh3" ? CHUNK_BYTES_DEFAULT : null);
    if (algo === "xxh3" && (chunk ?? 0) > XXH3_CHUNK_BYTES_MAX) {
      throw new UsageError("--chunk of xxh3 is at most 16M: --algo sha256 has no such bound");
    }
    const files = operands.map((operand) => fileOf(operand, server));
    const servers = new ClientsByServer(connectionSettingsOf(values));
    const report = new Report(quiet);
    const output = new TextOutput();
    for (const { target, name } of files) {
      try {
        await printHash(servers, target, name, { algo, chunk }, output);
      } catch (error) {
        report.fail(error);
      }
      if (report.ended) break;
    }
    return report.status;
  },
};

/** Prints the digests of `target` as `name`. Rejects with ClientError: 6 when it changed midway. */
export async function printHash(
  servers: ClientsByServer,
  target: Target,
  name: ByteString,
  { algo, chunk }: HashOptions,
  output: TextOutput,
): Promise<void> {
  if (chunk === null) {
    const { digests } = await servers.ask(target, (client, path) => client.hash(path, { algo }));
    const [digest] = digests;
    if (digest === undefined || digests.length > 1) {
      throw protocolError(about("HASH splits what was asked as one", target.server, target.path));
    }
    printLine(output, digest, "", name);
    return;
  }
  await printChunks(servers, target, name, algo, BigInt(chunk), output);
}

// --- internal ---

async function printChunks(
  servers: ClientsByServer,
  target: Target,
  name: ByteString,
  algo: Algo,
  chunk: bigint,
  output: TextOutput,
): Promise<void> {
  const length = chunk * BigInt(DIGESTS_MAX);
  let etag: string | null = null;
  let offset = 0n;
  for (let end = 1n; offset < end; offset += length) {
    const range = { offset, length: clipped(length), chunk, algo };
    const page = await servers.ask(target, (client, path) => client.hash(path, range));
    if (etag !== null && etag !== page.etag) {
      const text = "the file changed while it was hashed";
      throw refusedError("ESTALE", about(text, target.server, target.path));
    }
    etag = page.etag;
    end = page.size;
    for (const [nth, digest] of page.digests.entries()) {
      printLine(output, digest, `  ${offset + chunk * BigInt(nth)}`, name);
    }
  }
}

/** `length`, or the largest number that a request may carry: no file is longer. */
function clipped(length: bigint): bigint {
  return length < NUMBER_MAX ? length : NUMBER_MAX;
}

function printLine(output: TextOutput, digest: string, offset: string, name: ByteString): void {
  const start = `${digest}${offset}`;
  if (output.terminal) output.print(`${start}  ${printable(name)}\n`);
  else output.printBytes(sumLine(start, name));
}

/** The target, and its name in the output: for a URL the name that a download of it gets. */
function fileOf({ text }: Operand, server: ServerAddress): { target: Target; name: ByteString } {
  const target = meant(() => parseTarget(text, server));
  const bare = target.literal === text;
  if (bare) return { target, name: text };
  const { server: asked, path } = target;
  return {
    target,
    name: asked.http === undefined ? path.slice(path.lastIndexOf("/") + 1) : httpNameOf(path),
  };
}
