/**
 * Who a connection has shown itself to be, and the store as it may see it. Without tokens that is
 * all of it, for nothing. A token is shown once on S6/1 (AUTH) and holds for the requests behind
 * it; over HTTP each request shows its own, and a bare path can show none.
 */
import { isLoopback, unmapped } from "../guard/address.ts";
import { isLink } from "../identity/links.ts";
import type { Grant, Tokens } from "../identity/tokens.ts";
import type { Store } from "../store/store.ts";
import { clock } from "../sys/clock.ts";
import { Refusal, TOKEN_WANTED, Unauthorized } from "../wire/errors.ts";
import { tokenIn } from "../wire/http/authorization.ts";
import type { ByteString } from "../wire/bytes.ts";
import { GrantedStore } from "./grantedstore.ts";
import type { Service } from "./service.ts";

/** What an HTTP request shows. */
export interface Shown {
  readonly authorization: ByteString | undefined;
  /** A signed link of the query; null: none. */
  readonly link: ByteString | null;
  /** A signed link of a page that was visited before, which may be over by now; null: none. */
  readonly cookie: string | null;
}

/** One connection's. */
export class Access {
  /** The store for the next request, where it shows no token of its own. */
  store: Store;
  /** The connection is by TLS. */
  readonly secure: boolean;
  /** Its peer is on this machine. */
  get local(): boolean {
    return isLoopback(this.#address);
  }

  /** What was shown opens this; null: nothing was shown, or all is open. */
  grant: Grant | null = null;
  readonly #service: Service;
  readonly #address: string;
  readonly #peer: string;

  /** `peer` is whose share the connection at `address` uses. */
  constructor(service: Service, address: string, peer: string) {
    this.secure = service.secure;
    this.#service = service;
    this.#address = address;
    this.#peer = peer;
    const { store, tokens } = service;
    this.store = tokens === null ? store : new GrantedStore(store, () => anonymous(tokens));
  }

  /** What `token` opens is what the requests behind this one see; null, or why it opens nothing. */
  authorize(token: string): Refusal | null {
    const opened = this.#open(token);
    if (opened instanceof Refusal) return opened;
    this.store = opened;
    return null;
  }

  /** Whose rate holds for the connection: of what was shown, else of who shows nothing; or null. */
  get rated(): Grant | null {
    return this.grant ?? this.#service.tokens?.anonymous ?? null;
  }

  /** Whether anything has to be shown to anybody. */
  get closed(): boolean {
    return this.#service.tokens !== null;
  }

  /** The store for one HTTP request that shows this. */
  storeFor({ authorization, link, cookie }: Shown): Store | Refusal {
    if (link !== null) return this.#open(link);
    if (authorization === undefined) {
      // A browser shows it unasked: an old one is no try, and costs nothing.
      const known = cookie !== null && this.#link(cookie)() !== null;
      return known ? this.#open(cookie) : this.store;
    }
    const token = tokenIn(authorization);
    return token === null ? new Unauthorized("Bearer or Basic, with a token") : this.#open(token);
  }

  // --- internal ---

  #open(token: string): Store | Refusal {
    const { store, tokens, failures, insecureAuth, secure } = this.#service;
    // A link opens little, and was given away already.
    if (!isLink(token) && !secure && !insecureAuth && !isLoopback(this.#address)) {
      return new Refusal("EACCES", "a token is only taken by TLS");
    }
    // Where everybody may read everything there is nothing that a token could open.
    if (tokens === null) return store;
    const waitMs = failures.waitMs(this.#peer, clock.now);
    if (waitMs > 0) {
      return new Refusal("EBUSY", `too many wrong tokens, wait ${Math.ceil(waitMs / 1000)} s`);
    }
    const current = isLink(token) ? this.#link(token) : byToken(tokens, token);
    const grant = current();
    if (grant === null) {
      failures.note(this.#peer, clock.now);
      return new Unauthorized(
        isLink(token) ? "the link is not valid, or no more" : TOKEN_WANTED.wrong,
      );
    }
    // Who was given a link, and no more, could try tokens for ever beside it.
    if (!isLink(token)) failures.forget(this.#peer);
    this.grant = grant;
    return new GrantedStore(store, () => current() ?? ended());
  }

  #link(token: string): () => Grant | null {
    const { linkKey } = this.#service;
    const address = unmapped(this.#address).replace(/%.*$/, "");
    return () => linkKey?.grantOf(token, address) ?? null;
  }
}

// --- internal ---

function byToken(tokens: Tokens, token: string): () => Grant | null {
  const digest = tokens.find(token);
  return () => (digest === null ? null : tokens.grantOf(digest));
}

function anonymous(tokens: Tokens): Grant | Refusal {
  return tokens.anonymous ?? new Unauthorized(TOKEN_WANTED.none);
}

function ended(): Refusal {
  return new Unauthorized(TOKEN_WANTED.ended);
}
