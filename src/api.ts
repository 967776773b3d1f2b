/**
 * The library: `import { connect, download, mirror, serve } from "serv6"`. What is exported here is
 * kept stable; everything else is the program's own business.
 */
export { type Client, connect, type ConnectOptions, type Path } from "./client/connect.ts";
export { ClientError } from "./client/error.ts";
export type { LeftName, LeftKind } from "./wire/entry.ts";
export type { ListPage, NamedEntry, Pong, ReadResult } from "./client/exchange.ts";
export { LocalError } from "./destination/error.ts";
export { download, type DownloadResult } from "./download/download.ts";
export type { TransferEvent } from "./download/events.ts";
export { mirror, type MirrorResult } from "./download/mirror.ts";
export type { Operation, Snapshot } from "./download/operation.ts";
export type { DownloadOptions, MirrorOptions, TransferOptions } from "./download/options.ts";
export type { TrustOptions } from "./identity/trust.ts";
export { BytesSink, FdSink, type Sink } from "./receive/sink.ts";
export { ListenError } from "./server/listen.ts";
export type { Server } from "./server/serve.ts";
export { serve, type ServeOptions, type TlsOptions } from "./server/start.ts";
export { StoreError } from "./store/servedroot.ts";
export { Failure, type FailureKind } from "./wire/failure.ts";
