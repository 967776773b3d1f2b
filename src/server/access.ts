/**
 * Who a connection has shown itself to be, and the store as it may see it. Without tokens that is
 * all of it, for nothing. A token is shown once on S6/1 (AUTH) and holds for the requests behind
 * it; over HTTP each request shows its own, and a bare path can show none.
 */
import { isLoopback } from "../guard/address.ts";
import type { Grant, Tokens } from "../identity/tokens.ts";
import type { Store } from "../store/store.ts";
import { clock } from "../sys/clock.ts";
import { Refusal, Unauthorized } from "../wire/errors.ts";
import { tokenIn } from "../wire/http/authorization.ts";
import type { ByteString } from "../wire/bytes.ts";
import { GrantedStore } from "./grantedstore.ts";
import type { Service } from "./service.ts";

/** One connection's. */
export class Access {
  /** The store for the next request, where it shows no token of its own. */
  store: Store;
  /** The connection is by TLS. */
  readonly secure: boolean;
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

  /** The store for one HTTP request with this Authorization; undefined: it has none. */
  storeFor(authorization: ByteString | undefined): Store | Refusal {
    if (authorization === undefined || this.#service.tokens === null) return this.store;
    const token = tokenIn(authorization);
    return token === null ? new Unauthorized("Bearer or Basic, with a token") : this.#open(token);
  }

  // --- internal ---

  #open(token: string): Store | Refusal {
    const { store, tokens, failures, insecureAuth, secure } = this.#service;
    if (!secure && !insecureAuth && !isLoopback(this.#address)) {
      return new Refusal("EACCES", "a token is only taken by TLS");
    }
    // Where everybody may read everything there is nothing that a token could open.
    if (tokens === null) return store;
    const waitMs = failures.waitMs(this.#peer, clock.now);
    if (waitMs > 0) {
      return new Refusal("EBUSY", `too many wrong tokens, wait ${Math.ceil(waitMs / 1000)} s`);
    }
    const digest = tokens.find(token);
    const grant = digest === null ? null : tokens.grantOf(digest);
    if (digest === null || grant === null) {
      failures.note(this.#peer, clock.now);
      return new Unauthorized("no such token");
    }
    failures.forget(this.#peer);
    this.grant = grant;
    return new GrantedStore(store, () => tokens.grantOf(digest) ?? ended());
  }
}

// --- internal ---

function anonymous(tokens: Tokens): Grant | Refusal {
  return tokens.anonymous ?? new Unauthorized("a token is needed");
}

function ended(): Refusal {
  return new Unauthorized("the token has ended");
}
