/**
 * Owns the certificate that all servers of a run show over TLS: one, of P-256, made when it is
 * first asked for and gone with the process. Never asks for one of the machine's own.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { selfSigned } from "../src/identity/selfsigned.ts";
import { temporaryFolder } from "./temporary.ts";

let made: string | null = null;

/** A file with the certificate and its key in PEM, one behind the other. */
export function certificateFile(): string {
  if (made !== null) return made;
  made = join(temporaryFolder().path, "tls.pem");
  const addresses = [new Uint8Array([127, 0, 0, 1])];
  const pem = selfSigned({ names: ["localhost"], addresses, now: Date.now() });
  writeFileSync(made, pem, { mode: 0o600 });
  return made;
}
