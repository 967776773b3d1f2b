/**
 * Owns how our own server is started for a measurement: as a user would, from source, with what
 * `--serv6-args` adds. Never imports the server: the benchmark stays an outside judge.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { certificateFile } from "./certificate.ts";
import { type DoorName, DOORS } from "./load/door.ts";
import { type Rival, versionFrom } from "./rivals/rival.ts";
import { startServer } from "./spawn.ts";

/** The entry file, unless `--entry` names another. */
export const SERV6_ENTRY = join(import.meta.dir, "..", "src", "serv6.ts");

/** How our server of another commit is called. */
export const BEFORE = "before";

/** Our server at one of its doors, by TLS where that door is, in the shape of a rival. */
export function serv6(
  door: DoorName,
  entry: string,
  args: readonly string[],
  name = "serv6",
): Rival {
  const secure = DOORS[door].tls !== undefined;
  const program = [process.execPath, "--config=/dev/null", "--no-env-file", entry];
  return {
    name,
    family: "serv6",
    door,
    about: [
      ...[entry === SERV6_ENTRY ? "src/serv6.ts" : entry, "--log off", ...args],
      ...(secure ? ["--tls-cert, --tls-key of P-256"] : []),
    ].join(" "),
    version: () => versionFrom([...program, "--version"]),
    unavailable: () => (existsSync(entry) ? null : `${entry} does not exist`),
    start: (root) =>
      startServer([
        ...[...program, root, "-p", "0", "-b", "127.0.0.1", "--log", "off", ...args],
        ...(secure ? ["--tls-cert", certificateFile(), "--tls-key", certificateFile()] : []),
      ]),
  };
}
