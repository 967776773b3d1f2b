/**
 * What is shown to be let in, and the file that says who is: any text is read without a throw, and
 * nothing that is let in is anything but what was made. `make fuzz ARGS=shown` runs longer.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { networkOf } from "../../src/guard/networks.ts";
import { pinOf } from "../../src/identity/trust.ts";
import { parseTokens } from "../../src/identity/tokenfile.ts";
import { tokenIn } from "../../src/wire/http/authorization.ts";
import { linkInCookie } from "../../src/wire/http/link.ts";
import { isToken } from "../../src/wire/vocabulary.ts";

const numRuns = Number(process.env["RUNS"] ?? 2000);

/** Pieces of a file of tokens, right ones and wrong ones. */
const WORDS = fc.constantFrom(
  ...["[[token]]\n", "[anonymous]\n", "[token]\n", 'name = "a"\n', "name = 1\n", 'name = "a\\n"\n'],
  ...[`sha256 = "${"ab".repeat(32)}"\n`, 'sha256 = ""\n', "sha256 = []\n", 'paths = ["/a"]\n'],
  ...[
    'paths = ["a", 1]\n',
    "paths = {}\n",
    'may = ["read", 1]\n',
    "may = []\n",
    "until = 2027-01-01\n",
  ],
  ...[
    "until = 9999-99-99\n",
    "until = 1e9\n",
    'rate = "1K"\n',
    "rate = -1\n",
    "rate = nan\n",
    "x = 1\n",
  ],
  ...["\0", "'''", '"', "=", "{", "[", "# c\n", "é\n"],
);

test("a file of tokens is tokens, or words without a digest in them", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(WORDS).map((words) => words.join("")),
      ),
      (text) => {
        const parsed = parseTokens(text, 10);
        if (typeof parsed === "string") {
          expect(parsed).toMatch(/^[^\p{Cc}]{1,400}$/u);
          expect(parsed).not.toContain("abab");
          return;
        }
        for (const { digest, grant } of parsed) {
          expect(digest === null || /^[0-9a-f]{64}$/.test(digest)).toBe(true);
          expect(grant.paths.every((path) => !/^\/|\/$|(?:^|\/)\.\.?(?:\/|$)/.test(path))).toBe(
            true,
          );
          expect(grant.uses.every((use) => use === "read" || use === "list")).toBe(true);
          expect(grant.until > 0 && grant.rate >= 0).toBe(true);
        }
      },
    ),
    { numRuns },
  );
});

test("what Authorization, Cookie, pins and networks are read as keeps to their forms", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary-ascii" }), fc.base64String());
  const prefix = fc.constantFrom(
    "",
    "Bearer ",
    "basic ",
    "serv6-link=",
    "a; serv6-link=",
    "sha256:",
  );
  fc.assert(
    fc.property(prefix, text, (start, rest) => {
      const given = start + rest;
      for (const token of [tokenIn(given), linkInCookie(given)]) {
        expect(token === null || isToken(token)).toBe(true);
      }
      expect(pinOf(given) ?? `sha256:${"0".repeat(64)}`).toMatch(/^sha256:[0-9a-f]{64}$/);
      const network = networkOf(given);
      expect(network === null || (network.prefix >= 0 && network.prefix <= 128)).toBe(true);
    }),
    { numRuns },
  );
});
