/**
 * The library: `import { serve, connect } from "serv6"`. What is exported here is kept stable;
 * everything else is the program's own business.
 */
export { connect } from "./client/connect.ts";
export { ListenError } from "./server/listen.ts";
export type { Server } from "./server/serve.ts";
export { serve, type ServeOptions } from "./server/start.ts";
export { StoreError } from "./store/disk.ts";
