/** What a person can do about a server that wants a token. */

/** As a message names the server that it is about, at its end. */
const SERVER = /\((s6s?:\/\/[^\s()]+)\)$/;

/**
 * What is put behind `message`, of a failure that a token would have helped against: only S6/1
 * shows one, so that who came by HTTP is told of that.
 */
export function loginAdvice(message: string): string {
  const [, server] = SERVER.exec(message) ?? [];
  if (server !== undefined) return `; cli6 login ${server} saves a token`;
  return "; cli6 shows a token by s6s:// alone, and cli6 login saves one";
}
