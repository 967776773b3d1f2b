/**
 * The library: `import { serve, connect } from "serv6"`. What is exported here is kept stable;
 * everything else is the program's own business.
 */
export { type Client, connect, type ConnectOptions } from "./client/connect.ts";
export { ClientError } from "./client/error.ts";
export type { ListPage, NamedEntry, Pong, ReadResult } from "./client/exchange.ts";
export { LocalError } from "./destination/error.ts";
export { BytesSink, FdSink, type Sink } from "./receive/sink.ts";
export { ListenError } from "./server/listen.ts";
export type { Server } from "./server/serve.ts";
export { serve, type ServeOptions } from "./server/start.ts";
export { StoreError } from "./store/disk.ts";
