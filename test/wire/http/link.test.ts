/** The names and the rules by which a signed link travels over HTTP. */
import { expect, test } from "bun:test";
import { LINK_PARAMETER, linkCookie, linkInCookie } from "../../../src/wire/http/link.ts";

const LINK = "Abcdefghijklmnop0123456789";

test("it is ?link= in a query, and its own cookie among others", () => {
  expect(LINK_PARAMETER).toBe("link");
  expect(linkInCookie(`a=b; serv6-link=${LINK};c`)).toBe(LINK);
  for (const none of [undefined, "", `link=${LINK}`, "serv6-link", "serv6-link=a b"]) {
    expect(linkInCookie(none)).toBeNull();
  }
});

test("its cookie is for what is below the folder alone, and for no script", () => {
  expect(linkCookie(LINK, "/a;b/", false)).toBe(
    `Set-Cookie: serv6-link=${LINK}; Path=/a%3Bb/; HttpOnly; SameSite=Lax\r\n`,
  );
  expect(linkCookie(LINK, "/", true)).toEndWith("; SameSite=Lax; Secure\r\n");
  expect([linkCookie("a b", "/", true), linkCookie(`${LINK};`, "/", true)]).toEqual(["", ""]);
});
