/** How a test looks at what the library rejects with. */
import { expect } from "bun:test";
import { Failure } from "../../src/wire/failure.ts";

/** The Failure that `promise` rejects with; fails the test when it resolves. */
export async function rejection(promise: PromiseLike<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => null,
    (why: unknown) => why,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}
