/**
 * The length of what a person is told in one line. A path may have 8,192 bytes, four characters
 * each when they are escaped: a screen full of it hides what has happened.
 */

/** Characters of a message: six lines of a terminal, more than paths that people type. */
export const MESSAGE_CHARS_MAX = 480;

/** Stands for what is left out. */
const OMITTED = " [...] ";

/**
 * `message` within MESSAGE_CHARS_MAX: of a longer one the middle is left out, since its start says
 * what happened and its end has the file's name, the server and what to do.
 */
export function bounded(message: string): string {
  if (message.length <= MESSAGE_CHARS_MAX) return message;
  // By code points: half a pair of surrogates is no character.
  const characters = Array.from(message);
  if (characters.length <= MESSAGE_CHARS_MAX) return message;
  const kept = MESSAGE_CHARS_MAX - OMITTED.length;
  const start = characters.slice(0, Math.ceil(kept / 2)).join("");
  return start + OMITTED + characters.slice(-Math.floor(kept / 2)).join("");
}
