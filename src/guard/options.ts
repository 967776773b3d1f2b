/**
 * What a caller of the library may ask for: an option that nobody reads is a mistake, and is told
 * as one instead of doing nothing.
 */
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";

/** Names of all options of a call: the compiler sees to it that none is missing. */
export type OptionNames<Options> = Readonly<Record<keyof Required<Options>, true>>;

/**
 * Throws Failure (usage) for the first of `options` that `known` has not; `call` is how the caller
 * knows the function, as "serve()".
 */
export function refuseUnknown<Options extends object>(
  call: string,
  options: Options,
  known: OptionNames<Options>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new Failure("usage", "EINVAL", `${call} takes an object of options`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const names = Object.keys(known).join(", ");
    const text = `${call} has no option "${printableText(name)}"; it knows ${names}`;
    throw new Failure("usage", "EINVAL", text);
  }
}
