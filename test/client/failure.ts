/** How a test looks at a failure: the error itself, never a message that happened to match. */
import { expect } from "bun:test";
import { ClientError } from "../../src/client/error.ts";

/** The ClientError that `promise` rejects with; fails the test when it resolves. */
export async function failureOf(promise: Promise<unknown>): Promise<ClientError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("value" in outcome) throw new Error(`resolved to ${Bun.inspect(outcome.value)}`);
  expect(outcome.error).toBeInstanceOf(ClientError);
  return outcome.error as ClientError;
}

/** The ClientError that `action` throws. */
export function thrownBy(action: () => unknown): ClientError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ClientError);
    return error as ClientError;
  }
  throw new Error("nothing was thrown");
}
