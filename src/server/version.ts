/** The version, from the one place that has it, and the commit of a compiled program. */
import manifest from "../../package.json" with { type: "json" };

/** Put here by `make build` (`bun build --define`); where source runs there is no such thing. */
declare const SERV6_COMMIT: string | undefined;

/** As in package.json. */
export const VERSION: string = manifest.version;

/** Of a compiled program, "unknown" where it was built without git; null where source runs. */
export const COMMIT: string | null = typeof SERV6_COMMIT === "undefined" ? null : SERV6_COMMIT;
