/**
 * A running server: listens, admits, sweeps, stops. It owns the listeners and the table of
 * connections; what a connection does is its own business.
 */
import { Outbox } from "../send/outbox.ts";
import { Turns } from "../send/turns.ts";
import { isLoopback, peerOf } from "../guard/address.ts";
import { Gate } from "../guard/admission.ts";
import { type FailureCounts, Failures } from "../guard/failures.ts";
import type { Networks } from "../guard/networks.ts";
import type { Rates } from "../guard/rates.ts";
import { LINGER_MS, type Limits, NEWCOMER_MS, SILENCE_MS } from "../guard/limits.ts";
import type { Credentials } from "../identity/credentials.ts";
import type { LinkKey } from "../identity/links.ts";
import type { Tokens } from "../identity/tokens.ts";
import { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Store } from "../store/store.ts";
import { tick } from "../sys/clock.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { Refusal } from "../wire/errors.ts";
import { type Colleague, tellOthers } from "./colleagues.ts";
import { Connection } from "./connection.ts";
import { Displacement } from "./displacement.ts";
import { framedDoor } from "./framed.ts";
import { corsDoor } from "./cors.ts";
import { headAnswer, httpDoorWith } from "./http.ts";
import { indexAnswer } from "./httpindex.ts";
import type { Arrivals, ListenAddress, ListenPlace } from "./listen.ts";
import { Listeners } from "./listeners.ts";
import type { Way } from "./lobby.ts";
import { Pacing } from "./pacing.ts";
import { plainDoor } from "./plain.ts";
import type { Proxies } from "./proxied.ts";
import { Secure } from "./secure.ts";
import { SilenceTimer } from "./silence.ts";
import type { ConnectionOwner, Service } from "./service.ts";
import { adminDoor, withAdmin } from "./admin.ts";
import type { Observed } from "./facts.ts";
import { closedHttpDoor, onlyByTls, tlsDoor } from "./unsupported.ts";
import { SWEEP_MS, sweep } from "./sweep.ts";

/** Milliseconds between two sweeps while the server stops. */
const STOPPING_SWEEP_MS = 20;

/** What a server is made of. */
export interface ServerOptions {
  readonly store: Store;
  readonly limits: Limits;
  readonly log: Log;
  /** Where to listen: at least one. Port 0 picks a free one, the same for the hosts that follow. */
  readonly addresses: readonly ListenPlace[];
  /** False: large files leave by the copy branch. */
  readonly zeroCopy: boolean;
  /** False: HTTP is turned away. */
  readonly http: boolean;
  /** Over HTTP a folder's index.html stands for its page. */
  readonly index?: boolean;
  /** The origin whose pages may read over HTTP, or "*"; null: none but its own. */
  readonly cors?: string | null;
  /** Certificate and key; null: TLS is turned away. */
  readonly credentials: Credentials | null;
  /** With TLS: false refuses plaintext from other machines. */
  readonly plaintext: boolean;
  /** Who may read what; null: everybody everything. */
  readonly tokens: Tokens | null;
  /** The key of signed links, with `tokens`; null: there are none. */
  readonly linkKey: LinkKey | null;
  /** How fast it may send. */
  readonly rates: Rates | null;
  /** Where who runs the server is told of it; null: on the other addresses, to this machine. */
  readonly adminAddress: ListenPlace | null;
  /** Which addresses may connect; null: all. */
  readonly networks: Networks | null;
  /** Who passes on connections of others; null: nobody. */
  readonly proxies: Proxies | null;
  /** True: tokens are taken in plaintext from other machines too. */
  readonly insecureAuth: boolean;
  /** The other processes that serve the same; none unless told. */
  readonly colleague?: Colleague | null;
  /** Connections that all of them may have together; unbounded unless told. */
  readonly connectionsInAll?: number;
}

/** For plaintext, TLS, plaintext that is refused, and who runs the server. */
type ServiceName = "plain" | "tls" | "refused" | "admin";

/** A server that is up. */
export class Server implements ConnectionOwner {
  readonly counters = new Counters();
  readonly #options: ServerOptions;
  readonly #gate: Gate;
  readonly #connections = new Map<Connection, "serve" | "shed">();
  readonly #displacement: Displacement;
  readonly #listeners = new Listeners();
  /** For plaintext, for TLS, and for plaintext of other machines where that is refused. */
  readonly #services: Readonly<Record<ServiceName, Service>>;
  readonly #started: number;
  readonly #admin = new Listeners("--admin-bind");
  readonly #secure: Secure | null;
  readonly #pacing: Pacing | null;
  #timer: NodeJS.Timeout | null = null;
  #sweptAt = tick();
  #lingerMs = LINGER_MS;
  #limits: Limits;
  #stopping: Promise<void> | null = null;
  #stopped: (() => void) | null = null;

  /** Listens on all addresses, or on none: throws ListenError for the first that can't be had. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = options.limits;
    const { colleague } = options;
    this.#started = colleague?.started ?? Date.now();
    this.#gate = new Gate(options.limits, colleague?.peers, options.connectionsInAll);
    this.#displacement = new Displacement(this.#gate, this.#connections);
    this.#secure = options.credentials === null ? null : new Secure(options.credentials);
    this.#services = servicesOf(options, this.counters, () => this.#observed());
    const { rates } = options;
    this.#pacing = rates && new Pacing(rates, this.#connections, this.#gate, colleague?.sending);
    this.#listen(options.addresses);
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** What it serves. */
  get store(): Store {
    return this.#options.store;
  }

  /** Whether HTTP is served. */
  get http(): boolean {
    return this.#options.http;
  }

  /** The certificate of its TLS; null: it has none. */
  get credentials(): Credentials | null {
    return this.#options.credentials;
  }

  /** Whether other machines may come without TLS. */
  get plaintext(): boolean {
    return this.#options.credentials === null || this.#options.plaintext;
  }

  /** Where who runs it is told of it, with the port that was picked; null: on the other ones. */
  get adminAddress(): ListenAddress | null {
    return this.#admin.addresses[0] ?? null;
  }

  /** Whether who shows no token may read nothing. */
  get closed(): boolean {
    const { tokens } = this.#options;
    return tokens !== null && tokens.anonymous === null;
  }

  /** Where it listens, with the ports that were picked. */
  get addresses(): ListenAddress[] {
    return this.#listeners.addresses;
  }

  /** It has begun to serve: the process that started it is told, where there is one. */
  begun(): void {
    this.#tell();
    this.#options.colleague?.serves();
  }

  /** What files look like now is no change: the process has become another user (Watched). */
  settle(): void {
    const { credentials, tokens, linkKey } = this.#options;
    for (const watched of [credentials, tokens, linkKey]) watched?.settle();
  }

  /** Admits `socket` and gives it a connection; null when it was cut. Tests call it too. */
  accept(
    socket: StreamSocket,
    way: Way | "admin" = "plain",
    address: string = socket.remoteAddress ?? "",
  ): Connection | null {
    tick();
    if (this.#options.networks?.admits(address) === false) {
      this.counters.shed += 1;
      socket.terminate();
      return null;
    }
    const peer = peerOf(address);
    if (this.#gate.crowdedFor(peer)) this.#displacement.makeRoom(peer);
    const admission = this.#gate.enter(address);
    // Within a handshake nothing can be told.
    if (admission === "cut" || (admission === "shed" && way === "tls")) {
      if (admission === "shed") this.#gate.leave(address, admission);
      this.counters.shed += 1;
      socket.terminate();
      return null;
    }
    const refused = way === "plain" && !this.plaintext && !isLoopback(address);
    const connection = new Connection(
      socket,
      this.#services[refused ? "refused" : way],
      this,
      address,
    );
    this.#connections.set(connection, admission);
    this.#pacing?.begin(connection);
    this.counters.connections += 1;
    this.counters.accepted += 1;
    if (admission === "shed") {
      this.counters.shed += 1;
      connection.door = framedDoor;
      connection.refuseAndClose(new Refusal("EBUSY", "too many connections"));
    }
    return connection;
  }

  ended(connection: Connection): void {
    const admission = this.#connections.get(connection);
    if (admission === undefined) return;
    this.#connections.delete(connection);
    this.#pacing?.end(connection);
    this.counters.connections -= 1;
    this.#gate.leave(connection.address, admission);
    this.#whenEmpty();
  }

  /**
   * Stops listening, lets what is under way finish within `graceMs`, then resets what is left.
   * Resolves when the last connection is gone. Called again it can only make the wait shorter.
   */
  stop(graceMs: number = this.#options.limits.graceMs): Promise<void> {
    const cut = setTimeout(() => this.#cut(), graceMs);
    this.#stopping ??= this.#begin();
    return this.#stopping.finally(() => clearTimeout(cut));
  }

  /** Opens the log's file anew, which has another name by now. Without one: nothing. */
  reopenLog(): void {
    this.#options.log.reopen();
  }

  // --- internal ---

  #listen(addresses: readonly ListenPlace[]): void {
    const { adminAddress } = this.#options;
    try {
      this.#listeners.open(addresses, this.#arrivals());
      if (adminAddress !== null) this.#admin.open([adminAddress], this.#adminArrivals());
    } catch (error) {
      this.#listeners.stop();
      this.#admin.stop();
      // Its timer would keep a program alive that goes on without the server.
      this.#pacing?.close();
      throw error;
    }
  }

  #arrivals(): Arrivals {
    return {
      secure: this.#secure,
      proxies: this.#options.proxies,
      accept: (socket, way, address) => this.accept(socket, way, address),
      unheaded: (address) => this.#unheaded(address),
      late: () => this.#services.plain.turns.late,
    };
  }

  #unheaded(address: string): void {
    const { log, proxies } = this.#options;
    this.counters.shed += 1;
    const complaint = proxies?.complaint(address) ?? null;
    if (complaint !== null) log.note(complaint);
  }

  #adminArrivals(): Arrivals {
    const accept = (socket: StreamSocket) => this.accept(socket, "admin");
    return { ...this.#arrivals(), secure: null, proxies: null, accept, late: () => false };
  }

  #observed(): Observed {
    const { store } = this.#options;
    const connections = this.#connections.keys();
    const handshakes = this.#secure?.underWay ?? 0;
    const others = this.#options.colleague?.others() ?? [];
    const { counters } = this;
    return { store, connections, handshakes, counters, started: this.#started, others };
  }

  #tell(): void {
    const { colleague } = this.#options;
    if (colleague) tellOthers(colleague, this.#observed());
  }

  #sweep(): void {
    const now = tick();
    this.#lag(now);
    this.#tell();
    this.#options.store.sweep();
    this.counters.timeouts += this.#secure?.sweep(now, this.#options.limits.requestMs) ?? 0;
    this.#refresh();
    for (const connection of this.#connections.keys()) {
      try {
        if (sweep(connection, now, this.#limits, this.#lingerMs)) this.counters.timeouts += 1;
      } catch (error) {
        connection.crash(error);
      }
    }
  }

  /** A sweep is due each second: what it comes late, the loop was busy with something else. */
  #lag(now: number): void {
    const { counters } = this;
    counters.lagMs = Math.max(0, now - this.#sweptAt - SWEEP_MS);
    counters.lagMsMax = Math.max(counters.lagMsMax, counters.lagMs);
    this.#sweptAt = now;
  }

  /** Files that the server was started with, and that have changed since. */
  #refresh(): void {
    const { credentials, tokens, linkKey, log } = this.#options;
    const certificate = credentials?.refresh() ?? null;
    if (certificate !== null) log.note(`${certificate.message}: the certificate before stays`);
    const file = tokens?.refresh() ?? null;
    if (file !== null) log.note(`${file.message}: the tokens before stay`);
    const key = linkKey?.refresh() ?? null;
    if (key !== null) log.note(`${key.message}: the key before stays`);
  }

  #begin(): Promise<void> {
    this.#listeners.stop();
    this.#admin.stop();
    for (const connection of [...this.#connections.keys()]) connection.stop();
    // A peer that has everything is given no time to close, and is found sooner.
    this.#lingerMs = 0;
    this.#limits = { ...this.#limits, requestMs: Math.min(NEWCOMER_MS, this.#limits.requestMs) };
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#sweep(), STOPPING_SWEEP_MS);
    return new Promise((resolve) => {
      this.#stopped = () => {
        if (this.#timer !== null) clearInterval(this.#timer);
        this.#pacing?.close();
        this.#options.store.close();
        this.#options.log.close();
        this.#tell();
        resolve();
      };
      this.#whenEmpty();
    });
  }

  #cut(): void {
    const left = this.#connections.size;
    if (left > 0) this.#options.log.note(`grace is over, ${left} connections reset`);
    for (const connection of [...this.#connections.keys()]) connection.terminate();
  }

  #whenEmpty(): void {
    if (this.#connections.size > 0) return;
    const stopped = this.#stopped;
    this.#stopped = null;
    stopped?.();
  }
}

// --- internal ---

function servicesOf(
  options: ServerOptions,
  counters: Counters,
  observed: () => Observed,
): Record<ServiceName, Service> {
  const { store, limits, log, zeroCopy, tokens, linkKey, insecureAuth } = options;
  const files = options.index === true ? indexAnswer : headAnswer;
  const web = options.adminAddress === null ? withAdmin(files, observed) : files;
  const cors = options.cors ?? null;
  const failures: FailureCounts = options.colleague?.failures ?? new Failures();
  const openHttpDoor = cors === null ? httpDoorWith(web) : corsDoor(web, cors);
  const doors = {
    ...{ plain: plainDoor, framed: framedDoor, tls: tlsDoor },
    http: options.http ? openHttpDoor : closedHttpDoor,
  };
  const plain: Service = {
    ...{ store, limits, log, zeroCopy, counters, doors, tokens, linkKey, insecureAuth },
    secure: false,
    failures,
    outbox: new Outbox(),
    turns: new Turns((error) => log.fault("internal error", String(error))),
    silence: new SilenceTimer(SILENCE_MS),
  };
  const { framed, plain: bare, http } = doors;
  const admin = adminDoor(observed);
  const refusing = {
    ...{ plain: onlyByTls(bare), framed: onlyByTls(framed), http: onlyByTls(http), tls: tlsDoor },
  };
  // A TLS socket's descriptor carries records: the kernel can't send a file into it.
  return {
    plain,
    tls: { ...plain, zeroCopy: false, secure: true },
    refused: { ...plain, doors: refusing },
    admin: { ...plain, doors: { plain: admin, framed: admin, http: admin, tls: tlsDoor } },
  };
}
