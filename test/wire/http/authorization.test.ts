/** The token in an Authorization field, by either scheme, and what is none. */
import { expect, test } from "bun:test";
import { tokenIn } from "../../../src/wire/http/authorization.ts";

const TOKEN = "Abcdefghijklmnop0123456789";
const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");

test.each([
  [`Bearer ${TOKEN}`, TOKEN],
  [`bearer   ${TOKEN}`, TOKEN],
  [`BASIC ${base64(`user:${TOKEN}`)}`, TOKEN],
  [`Basic ${base64(`:${TOKEN}`)}`, TOKEN],
  [`Basic ${base64(`us\xe9r:${TOKEN}`)}`, TOKEN],
  [`Basic ${base64(TOKEN)}`, null],
  [`Basic ${base64(`user:${TOKEN}:more`)}`, `${TOKEN}:more`],
  [`Basic ${base64(`user:${TOKEN}\xe9`)}`, null],
  [`Basic ${base64("user:")}`, null],
  [`Bearer ${TOKEN} more`, null],
  [`Bearer`, null],
  [`Bearer ${TOKEN}:`, null],
  [`Digest ${TOKEN}`, null],
  [TOKEN, null],
  ["", null],
])("%j has the token %j", (value, token) => {
  expect(tokenIn(value)).toBe(token);
});
