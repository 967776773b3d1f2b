/**
 * A real Chromium, driven over its DevTools protocol by Bun's WebSocket: one browser, one tab. It
 * owns the process and its profile, and notes what the page asked the network for and complained
 * of. Every wait is for a condition; what does not come fails after WAIT_MS.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Need, works } from "../rig/needs.ts";

/** What Debian and others call it. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];

const found = NAMES.find((name) => works(name, "--version"));

/** For the tests that drive one. */
export const CHROMIUM: Need = { here: found !== undefined, what: "chromium on the PATH" };

/** A machine may be busy; a browser that answers at all does within moments. */
const WAIT_MS = 20_000;

type Parameters = Record<string, unknown>;
type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Parameters;
  readonly result?: Parameters;
  readonly error?: { readonly message: string };
};

/** A browser with a tab (`await using` ends it). */
export class Chromium {
  readonly #child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (message: Message) => void>();
  #asked = 0;
  #session = "";
  #loads = 0;
  /** Addresses that were requested, in order, `data:` and the like included. */
  readonly requests: string[] = [];
  /** What the console, the policy and exceptions said. */
  readonly complaints: string[] = [];
  /** Names of downloads that are complete. */
  readonly downloads: string[] = [];
  readonly #begun = new Map<string, string>();

  private constructor(
    child: Bun.Subprocess<"ignore", "ignore", "pipe">,
    profile: string,
    socket: WebSocket,
  ) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(String(data))));
  }

  /** Starts one whose downloads go into `downloads`. */
  static async start(downloads: string): Promise<Chromium> {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), "serv6-chromium-"));
    const child = Bun.spawn(
      [
        ...[found ?? "chromium", "--headless=new", "--remote-debugging-port=0"],
        ...["--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"],
        ...["--no-proxy-server", "--disable-background-networking", "--disable-component-update"],
        `--user-data-dir=${profile}`,
        // Its own sandbox needs a user other than root.
        ...(process.geteuid?.() === 0 ? ["--no-sandbox"] : []),
        "about:blank",
      ],
      { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    );
    const socket = new WebSocket(await addressOf(child.stderr));
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    const chromium = new Chromium(child, profile, socket);
    await chromium.#attach(downloads);
    return chromium;
  }

  /** Sends a command of the protocol to the tab and gives its result. */
  send(method: string, params: Parameters = {}): Promise<Parameters> {
    const id = ++this.#asked;
    const sessionId = this.#session === "" ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...sessionId }));
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${method}: no answer`)), WAIT_MS);
      this.#answers.set(id, ({ result, error }) => {
        clearTimeout(late);
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }

  /** Goes to `url` and waits until it is loaded. */
  async open(url: string): Promise<void> {
    await this.loading(() => this.send("Page.navigate", { url }));
  }

  /** Does `action` and waits for the page that it leads to. */
  async loading(action: () => Promise<unknown>): Promise<void> {
    const before = this.#loads;
    await action();
    await this.until("the page", () => this.#loads > before);
  }

  /** What `expression` is in the page; a promise is waited for. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.send("Runtime.evaluate", {
      ...{ expression, returnByValue: true, awaitPromise: true, userGesture: true },
    })) as { result: { value: T }; exceptionDetails?: { text: string } };
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.text}`);
    return result.value;
  }

  /** Presses and releases a key: a character, or a name as "Enter"; with Ctrl held if asked. */
  async press(key: string, ctrl = false): Promise<void> {
    const text = key === "Enter" ? "\r" : key.length === 1 && !ctrl ? key : undefined;
    const code = CODES[key] ?? key.toUpperCase().charCodeAt(0);
    const event = { key, windowsVirtualKeyCode: code, modifiers: ctrl ? 2 : 0 };
    const down = text === undefined ? { type: "rawKeyDown" } : { type: "keyDown", text };
    await this.send("Input.dispatchKeyEvent", { ...event, ...down });
    await this.send("Input.dispatchKeyEvent", { ...event, type: "keyUp" });
  }

  /** Presses the keys of `text` one by one. */
  async type(text: string): Promise<void> {
    for (const key of text) await this.press(key);
  }

  /** Clicks with the mouse into the middle of what `selector` finds first. */
  async click(selector: string): Promise<void> {
    const [x, y] = await this.value<[number, number]>(
      `(() => { const it = document.querySelector(${JSON.stringify(selector)});` +
        ` it.scrollIntoView({ block: "center" }); const r = it.getBoundingClientRect();` +
        ` return [r.x + r.width / 2, r.y + r.height / 2]; })()`,
    );
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
  }

  /** Sets the window's width and height in CSS pixels, and the colours that the system wants. */
  async look(width: number, height: number, scheme: "light" | "dark"): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", {
      ...{ width, height, deviceScaleFactor: 2, mobile: false },
    });
    await this.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
  }

  /** Writes what the window shows into `file`, as PNG. */
  async screenshot(file: string): Promise<void> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    fs.writeFileSync(file, Buffer.from(String(data), "base64"));
  }

  /** Waits until `holds`; `what` is told where it never does. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const end = Date.now() + WAIT_MS;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(`${what} never came; ${this.complaints.join("\n")}`);
      await Bun.sleep(5);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    this.#child.kill();
    await this.#child.exited;
    fs.rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  // --- internal ---

  async #attach(downloadPath: string): Promise<void> {
    const options = { behavior: "allow", downloadPath, eventsEnabled: true };
    await this.send("Browser.setDownloadBehavior", options);
    const { targetInfos } = (await this.send("Target.getTargets")) as {
      targetInfos: { targetId: string; type: string }[];
    };
    const targetId = targetInfos.find(({ type }) => type === "page")?.targetId;
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    this.#session = String(sessionId);
    for (const domain of ["Page", "Network", "Runtime", "Log", "Audits"]) {
      await this.send(`${domain}.enable`);
    }
  }

  #take(message: Message): void {
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
      return;
    }
    const { method, params = {} } = message;
    if (method === "Page.loadEventFired") this.#loads += 1;
    else if (method === "Network.requestWillBeSent") {
      this.requests.push((params as { request: { url: string } }).request.url);
    } else if (method === "Browser.downloadWillBegin") {
      const { guid, suggestedFilename } = params as { guid: string; suggestedFilename: string };
      this.#begun.set(guid, suggestedFilename);
    } else if (method === "Browser.downloadProgress") {
      const { guid, state } = params as { guid: string; state: string };
      if (state === "completed") this.downloads.push(this.#begun.get(guid) ?? guid);
    } else if (COMPLAINTS.has(method ?? "")) {
      this.complaints.push(JSON.stringify({ method, ...params }));
    }
  }
}

// --- internal ---

const COMPLAINTS = new Set([
  ...["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"],
  ...["Audits.issueAdded", "Page.javascriptDialogOpening", "Inspector.targetCrashed"],
]);

/** Virtual codes of keys that are no character. */
const CODES: Readonly<Record<string, number>> = {
  ...{ Enter: 13, Escape: 27, Tab: 9, ArrowUp: 38, ArrowDown: 40, "/": 191 },
};

/** The address that it names on its standard error, which is read on so that it never fills up. */
function addressOf(stderr: ReadableStream<Uint8Array>): Promise<string> {
  return new Promise((resolve, reject) => {
    const read = async (): Promise<void> => {
      let said = "";
      for await (const chunk of stderr) {
        said = (said + Buffer.from(chunk).toString()).slice(-4096);
        const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
        if (address !== undefined) resolve(address);
      }
      reject(new Error(`chromium ended and said ${said}`));
    };
    void read();
  });
}
