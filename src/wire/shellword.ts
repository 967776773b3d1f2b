/** Text as one word of a POSIX shell, for lines that a person copies. */

/**
 * `text` as it is where no shell sees anything in it, else in single quotes (POSIX 2.2.2). What no
 * line can hold is for the caller to escape: controls stay what they are.
 */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
