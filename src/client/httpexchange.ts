/**
 * One request of HTTP and its reply: a GET of all of a file, or of a part of it in one version. It
 * judges the reply's head and never sees a socket; the session calls it, and settles it once.
 */
import manifest from "../../package.json" with { type: "json" };
import type { Sink } from "../receive/sink.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { ReplyHead } from "../wire/http/replyhead.ts";
import type { ServerAddress } from "./address.ts";
import type { ClientError } from "./error.ts";
import { hostField, requestTarget } from "./httpaddress.ts";

/** A part of a file, of the version with this strong validator. */
export interface HttpPart {
  readonly first: bigint;
  /** The last byte, which is within; null: to the end. */
  readonly last: bigint | null;
  /** "" where any version will do. */
  readonly validator: ByteString;
}

/** What is asked for. */
export interface HttpWish {
  /** HEAD asks for what GET would, without the body. */
  readonly method: "GET" | "HEAD";
  /** Null: all of it. */
  readonly part: HttpPart | null;
  /** A digest of all of it is wanted too: a server may read the file before it answers. */
  readonly digest?: boolean;
}

/** What the session needs of a request. */
export class HttpExchange {
  /** Resolves when the reply has ended, to its head. */
  readonly done = Promise.withResolvers<ReplyHead>();
  /** All of the request's bytes. */
  readonly request: ByteString;
  readonly path: ByteString;
  /** It went out: where its reply does not come the server may have seen it. */
  sent = false;
  /** The reply has no body, whatever its head says. */
  readonly bodyless: boolean;
  readonly #judge: (head: ReplyHead) => Sink | null;

  /**
   * `judge` gives the sink for the body of a reply with this head, or null: then the body is
   * dropped. It may throw ClientError, and the connection ends.
   */
  constructor(
    server: ServerAddress,
    path: ByteString,
    { method, part, digest = false }: HttpWish,
    judge: (head: ReplyHead) => Sink | null,
  ) {
    this.path = path;
    this.bodyless = method === "HEAD";
    this.#judge = judge;
    const lines = [
      `${method} ${requestTarget(server, path)} HTTP/1.1`,
      `Host: ${hostField(server)}`,
      `User-Agent: cli6/${manifest.version}`,
      "Accept: */*",
      // A body that was compressed on the way is of another length and has other parts.
      "Accept-Encoding: identity",
      ...(digest ? ["Want-Repr-Digest: sha-256=10"] : []),
      ...(part === null ? [] : [`Range: bytes=${part.first}-${part.last ?? ""}`]),
      ...(part === null || part.validator === "" ? [] : [`If-Range: ${part.validator}`]),
    ];
    this.request = `${lines.join("\r\n")}\r\n\r\n`;
  }

  /** The sink of the body, or null when it is not wanted. Throws ClientError. */
  head(head: ReplyHead): Sink | null {
    return this.#judge(head);
  }

  /** The reply has ended. */
  finish(head: ReplyHead): void {
    this.done.resolve(head);
  }

  fail(error: ClientError): void {
    this.done.reject(error);
  }
}
