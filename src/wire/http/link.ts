/**
 * A signed link over HTTP: a parameter of the query, and a cookie that the page of a folder sets,
 * so that what it leads to needs no parameter of its own.
 */
import type { ByteString } from "../bytes.ts";
import { isToken } from "../vocabulary.ts";
import { field } from "./responsehead.ts";

/** `?link=`. */
export const LINK_PARAMETER = "link";

const COOKIE = "serv6-link";

/** The link in a Cookie field (RFC 6265 4.2), or null. */
export function linkInCookie(value: ByteString | undefined): string | null {
  if (value === undefined) return null;
  for (const pair of value.split(";")) {
    const [name, link = ""] = pair.trim().split("=");
    if (name === COOKIE) return isToken(link) ? link : null;
  }
  return null;
}

/**
 * Has a browser show `link` for what is below `href`, and for nothing else, until it is closed. A
 * page without an origin leads on by links of its own (Lax), and scripts do not see it.
 */
export function linkCookie(link: ByteString, href: string, secure: boolean): string {
  if (!isToken(link) || /[;,"\\]/.test(link)) return "";
  const rules = `; Path=${href.replaceAll(";", "%3B")}; HttpOnly; SameSite=Lax`;
  return field("Set-Cookie", `${COOKIE}=${link}${rules}${secure ? "; Secure" : ""}`);
}
