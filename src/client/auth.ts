/** AUTH: shows a token on a connection, before anything else is asked. */
import { isLoopback } from "../guard/address.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Failure } from "../wire/failure.ts";
import { isToken } from "../wire/vocabulary.ts";
import { type ServerAddress, urlOf } from "./address.ts";
import { asClientError, type ClientError, usageError } from "./error.ts";
import type { Exchange, OkLine } from "./exchange.ts";

/** A token for every server, or for each its own; null: none. */
export type TokenOption = string | ((server: ServerAddress) => string | null);

/** The request of a token. Its line goes to the socket and into no message. */
export class AuthExchange implements Exchange {
  readonly done = Promise.withResolvers<void>();
  readonly line: ByteString;
  readonly path = "";
  readonly sink = null;

  constructor(token: string) {
    this.line = `AUTH ${token}`;
  }

  head({ length }: OkLine): string | null {
    return length === 0 ? null : "AUTH's reply has a body";
  }

  finish(): string | null {
    this.done.resolve();
    return null;
  }

  fail(error: ClientError): void {
    this.done.reject(error);
  }
}

/**
 * The token that `server` is to be shown, or null. Throws ClientError (usage) for one that no
 * server takes, and where everybody on the way could read it.
 */
export function tokenFor(
  server: ServerAddress,
  option: TokenOption | undefined,
  insecure: boolean,
): string | null {
  if (server.link !== undefined) return server.link;
  const token = typeof option === "function" ? chosen(option, server) : (option ?? null);
  if (token === null) return null;
  if (!isToken(token)) throw usageError("a token is visible ASCII, of 512 characters at most");
  const { host, secure = false } = server;
  if (secure || insecure || host === "localhost" || isLoopback(host)) return token;
  const safe = urlOf({ ...server, secure: true });
  throw usageError(`a token is only shown by TLS: ${safe}, or --insecure-auth`);
}

// --- internal ---

/** Throws ClientError for a file of tokens that can't be read. */
function chosen(
  option: (server: ServerAddress) => string | null,
  server: ServerAddress,
): string | null {
  try {
    return option(server);
  } catch (error) {
    throw error instanceof Failure ? asClientError(error) : error;
  }
}
