/**
 * The token in an Authorization field: Bearer (RFC 6750), or Basic with it as password (RFC 7617).
 */
import type { ByteString } from "../bytes.ts";
import { isToken } from "../vocabulary.ts";

/** The token in `value`, or null where there is none that could be one. */
export function tokenIn(value: ByteString): string | null {
  const [, scheme = "", credentials = ""] =
    /^([A-Za-z]+) +([A-Za-z0-9._~+/=-]+)$/.exec(value) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return isToken(credentials) ? credentials : null;
    case "basic": {
      const decoded = Buffer.from(credentials, "base64").toString("latin1");
      const colon = decoded.indexOf(":");
      const password = decoded.slice(colon + 1);
      return colon >= 0 && isToken(password) ? password : null;
    }
    default:
      return null;
  }
}
