/**
 * What the download engine and the commands ask of a server, whichever protocol it speaks. Paths
 * are what a Target calls path. All promises reject with ClientError.
 */
import type { Sink } from "../receive/sink.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Entry } from "../wire/entry.ts";
import type { ServerAddress } from "./address.ts";
import type { ClientError } from "./error.ts";
import type { ListPage, Pong, ReadResult } from "./exchange.ts";
import type { DigestRange, Digests } from "./hash.ts";
import { type ConnectionSettings, openWireClient, type ReadRange } from "./wireclient.ts";

/** One lasting connection, or what stands for one. */
export interface FileClient {
  /** Requests answered so far, refusals included. */
  readonly answered: number;
  /** False once it has ended for good. */
  readonly open: boolean;
  /** True while no request is under way. */
  readonly idle: boolean;
  /** A file or a part of one into `sink`, which gets exactly what the reply promised. */
  read(path: ByteString, sink: Sink, range?: ReadRange): Promise<ReadResult>;
  /** What `path` is. */
  stat(path: ByteString): Promise<Entry>;
  /** A page of a folder; ENOSYS where there are none. */
  list(path: ByteString, after?: ByteString, limit?: number): Promise<ListPage>;
  /** Digests that the server computes; ENOSYS where it computes none. */
  hash(path: ByteString, range?: Partial<DigestRange>): Promise<Digests>;
  /** What the server calls itself. */
  ping(): Promise<Pong>;
  /** Ends it now; requests under way reject, with `reason` when there is one. */
  close(reason?: ClientError): void;
}

/** Connects to `server` by its protocol. Rejects with ClientError: no connection, or timed out. */
export async function openFileClient(
  server: ServerAddress,
  settings: ConnectionSettings,
): Promise<FileClient> {
  if (server.http === undefined) return openWireClient(server, settings);
  // Loaded when it is needed: what few commands use costs each of them its start.
  const { openHttpClient } = await import("./httpclient.ts");
  return openHttpClient(server, settings);
}
