/** An option that nobody reads is refused, and told by its name. */
import { expect, test } from "bun:test";
import { refuseUnknown } from "../../src/guard/options.ts";
import { Failure } from "../../src/wire/failure.ts";

interface Options {
  readonly port?: number;
  readonly host?: string;
}

const KNOWN = { port: true, host: true } as const;

function refusalOf(options: unknown): Partial<Failure> | null {
  try {
    refuseUnknown("serve()", options as Options, KNOWN);
    return null;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.name).toBe("Failure");
    const { kind, code, message } = error;
    return { kind, code, message };
  }
}

test("known options pass, one that is not known is named, with those that are", () => {
  expect(refusalOf({})).toBeNull();
  expect(refusalOf({ port: 1, host: "a" })).toBeNull();
  expect(refusalOf({ port: 1, "po\nrt": 2 })).toEqual({
    kind: "usage",
    code: "EINVAL",
    message: 'serve() has no option "po\\x0art"; it knows port, host',
  });
  expect(refusalOf({ toString: 1 })).not.toBeNull();
});

test.each([null, undefined, "port", 6464])("%p is no object of options", (options) => {
  expect(refusalOf(options)).toEqual({
    kind: "usage",
    code: "EINVAL",
    message: "serve() takes an object of options",
  });
});
