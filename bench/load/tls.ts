/**
 * Owns TLS of the load generator: the machine's OpenSSL by bun:ffi, as wrk and nginx use it, with
 * one version, one suite and one group, so that every server does the same work. No session is
 * kept: each connection has a whole handshake, which costs the client more than the server, so that
 * of new connections "us/req" tells what a rate does not. It looks at no certificate, but at the
 * signature that was made with its key.
 * Never touches Bun's event loop. Linux only.
 */
import { dlopen, type Pointer } from "bun:ffi";
import type { Link } from "./link.ts";
import * as sys from "./sys.ts";

export type TlsVersion = "1.2" | "1.3";

/** OpenSSL 3, which has kept its ABI since 2021. */
const LIBRARY = "libssl.so.3";

const VERSIONS: Readonly<Record<TlsVersion, number>> = { "1.2": 0x0303, "1.3": 0x0304 };

/** AES-128-GCM with a certificate of P-256 in both versions, and P-256 for the exchange. */
const SUITE_1_2 = "ECDHE-ECDSA-AES128-GCM-SHA256";
const SUITE_1_3 = "TLS_AES_128_GCM_SHA256";
const GROUP = "P-256";

/** Commands of SSL_CTX_ctrl(3), which C has macros for (openssl/ssl.h). */
const CTRL = { mode: 33, readAhead: 41, groups: 92, versionMin: 123, versionMax: 124 } as const;

/** SSL_MODE_ENABLE_PARTIAL_WRITE and SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER. */
const MODE = 3;

/** Eight records at once: a read of the socket for each would make the load the slower side. */
const READ_BUFFER_BYTES = 8 * 16_704;

/** What SSL_get_error(3) returns. */
const WANT_READ = 2;
const WANT_WRITE = 3;
const ZERO_RETURN = 6;

/** Why there is no TLS here, or null. */
export function tlsMissing(): string | null {
  try {
    openssl();
    return null;
  } catch {
    return `the load generator needs ${LIBRARY}`;
  }
}

/** A connection by TLS. */
export class TlsLink implements Link {
  readonly fd: number;
  readonly shortIsEmpty = false;
  readonly #ssl: Pointer;
  #closed = false;

  /**
   * Takes over `fd`, a connected socket. "waits": all calls wait. "shaken": the handshake is done
   * when this returns, and nothing waits later. "begins": not even that: the first transmit begins
   * it and returns AGAIN until it is done.
   */
  constructor(fd: number, version: TlsVersion, way: "waits" | "shaken" | "begins") {
    const lib = openssl();
    const ssl = pointer("SSL_new", lib.SSL_new(contextOf(version)));
    this.fd = fd;
    this.#ssl = ssl;
    lib.SSL_set_fd(ssl, fd);
    lib.SSL_set_connect_state(ssl);
    if (way !== "begins") {
      const shaken = lib.SSL_connect(ssl);
      if (shaken !== 1) throw new Error(`handshake: ${this.#reason(shaken)}`);
    }
    if (way !== "waits") sys.neverWait(fd);
  }

  receive(into: Uint8Array, max = into.byteLength): number {
    const n = openssl().SSL_read(this.#ssl, into, max);
    return n > 0 ? n : this.#orAgain("SSL_read", n);
  }

  discard(scratch: Uint8Array, max: number): number {
    return this.receive(scratch, Math.min(max, scratch.byteLength));
  }

  transmit(bytes: Uint8Array, length: number): number {
    const n = openssl().SSL_write(this.#ssl, bytes, length);
    return n > 0 ? n : this.#orAgain("SSL_write", n);
  }

  /** With close_notify, as clients do that mean it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    openssl().SSL_shutdown(this.#ssl);
    openssl().SSL_free(this.#ssl);
    sys.closeSocket(this.fd);
  }

  // --- internal ---

  #orAgain(call: string, n: number): number {
    const error = openssl().SSL_get_error(this.#ssl, n);
    if (error === WANT_READ || error === WANT_WRITE) return sys.AGAIN;
    if (error === ZERO_RETURN) return 0;
    throw new Error(`${call}: ${this.#reason(n)}`);
  }

  #reason(n: number): string {
    return `error ${openssl().SSL_get_error(this.#ssl, n)} of OpenSSL`;
  }
}

// --- internal ---

type Library = ReturnType<typeof open>;

let library: Library | null = null;
const contexts = new Map<TlsVersion, Pointer>();

/** Opened when it is first needed: most runs do without. Throws where it is not installed. */
function openssl(): Library {
  return (library ??= open());
}

function open() {
  const { symbols } = dlopen(LIBRARY, {
    TLS_client_method: { args: [], returns: "ptr" },
    SSL_CTX_new: { args: ["ptr"], returns: "ptr" },
    SSL_CTX_ctrl: { args: ["ptr", "i32", "i64", "ptr"], returns: "i64" },
    SSL_CTX_set_cipher_list: { args: ["ptr", "ptr"], returns: "i32" },
    SSL_CTX_set_ciphersuites: { args: ["ptr", "ptr"], returns: "i32" },
    SSL_CTX_set_default_read_buffer_len: { args: ["ptr", "u64"], returns: "void" },
    SSL_new: { args: ["ptr"], returns: "ptr" },
    SSL_set_fd: { args: ["ptr", "i32"], returns: "i32" },
    SSL_set_connect_state: { args: ["ptr"], returns: "void" },
    SSL_connect: { args: ["ptr"], returns: "i32" },
    SSL_read: { args: ["ptr", "ptr", "i32"], returns: "i32" },
    SSL_write: { args: ["ptr", "ptr", "i32"], returns: "i32" },
    SSL_get_error: { args: ["ptr", "i32"], returns: "i32" },
    SSL_shutdown: { args: ["ptr"], returns: "i32" },
    SSL_free: { args: ["ptr"], returns: "void" },
  });
  return symbols;
}

/** A pointer that is one; of a number that no double holds there is none in user space. */
function pointer(call: string, value: Pointer | bigint | null): Pointer {
  if (typeof value === "number" && value !== 0) return value;
  throw new Error(`${call} failed`);
}

/** One for all connections of a version. */
function contextOf(version: TlsVersion): Pointer {
  const known = contexts.get(version);
  if (known !== undefined) return known;
  const lib = openssl();
  const method = pointer("TLS_client_method", lib.TLS_client_method());
  const context = pointer("SSL_CTX_new", lib.SSL_CTX_new(method));
  const text = (value: string): Buffer => Buffer.from(`${value}\0`, "latin1");
  const set = (command: number, value: number, pointed: Buffer | null = null): bigint =>
    lib.SSL_CTX_ctrl(context, command, BigInt(value), pointed);
  set(CTRL.mode, MODE);
  set(CTRL.readAhead, 1);
  lib.SSL_CTX_set_default_read_buffer_len(context, BigInt(READ_BUFFER_BYTES));
  const done =
    set(CTRL.versionMin, VERSIONS[version]) === 1n &&
    set(CTRL.versionMax, VERSIONS[version]) === 1n &&
    set(CTRL.groups, 0, text(GROUP)) === 1n &&
    lib.SSL_CTX_set_cipher_list(context, text(SUITE_1_2)) === 1 &&
    lib.SSL_CTX_set_ciphersuites(context, text(SUITE_1_3)) === 1;
  if (!done) throw new Error(`${LIBRARY} does not know ${SUITE_1_2}, ${SUITE_1_3} and ${GROUP}`);
  contexts.set(version, context);
  return context;
}
