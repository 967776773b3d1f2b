/**
 * What a case of the tidy rules is: files, and every place a rule must complain about, in order. An
 * empty list means that the rule keeps quiet.
 */

export interface Case {
  readonly rule: string;
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly found: readonly string[];
}

/** Cases that `rule` keeps quiet about, by name. */
export function kept(
  rule: string,
  cases: Record<string, Readonly<Record<string, string>>>,
): Case[] {
  return Object.entries(cases).map(([name, files]) => ({
    rule,
    name: `keeps quiet about ${name}`,
    files,
    found: [],
  }));
}

/** A case that `rule` must find. */
export function broken(
  rule: string,
  name: string,
  files: Readonly<Record<string, string>>,
  found: readonly string[],
): Case {
  return { rule, name: `finds ${name}`, files, found };
}
