import { join } from "node:path";
import { temporaryFolder } from "../_temporary.ts";

/** Names under which Chromium is installed. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const START_MS = 30_000, POLL_MS = 50;

/** The path of Chromium or Chrome; undefined if there is none. */
export function findBrowser(): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isFile);
}

/** A page in a headless Chromium, driven by its DevTools protocol. */
export class Browser implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #socket: WebSocket | undefined;
  #calls = 0;
  /** What the page could not do, since the start. */
  readonly errors: string[] = [];
  /** Addresses that it asked for, without data and blobs. */
  readonly requests: string[] = [];

  private constructor(child: Deno.ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
  }

  /** Starts it with an empty page. */
  static async start(
    path: string,
    { width = 1300, height = 1000, arguments: more = [] as readonly string[] } = {},
  ): Promise<Browser> {
    const profile = temporaryFolder();
    const child = new Deno.Command(path, {
      args: [
        ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ...["--remote-debugging-port=0", `--user-data-dir=${profile}`],
        ...[`--window-size=${width},${height}`, ...more, "about:blank"],
      ],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    const browser = new Browser(child, profile);
    try {
      await browser.#connect();
      await browser.send("Emulation.setDeviceMetricsOverride", {
        ...{ width, height, deviceScaleFactor: 1, mobile: false },
      });
      return browser;
    } catch (error) {
      await browser[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Calls a method of the protocol. */
  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    this.#answers.set(
      id,
      ({ result, error }) =>
        error === undefined
          ? resolve(result ?? {})
          : reject(new Error(`${method}: ${error.message}`)),
    );
    this.#socket!.send(JSON.stringify({ id, method, params }));
    return promise;
  }

  /** Goes to an address. */
  async open(url: string): Promise<void> {
    await this.send("Page.navigate", { url });
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      ...{ expression, awaitPromise: true, returnByValue: true },
    }) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails !== undefined) {
      throw new Error(exceptionDetails.exception?.description ?? "an error in the page");
    }
    return result.value;
  }

  /** Waits until an expression holds in the page. */
  async until(expression: string, seconds: number): Promise<void> {
    const deadline = performance.now() + seconds * 1000;
    while (!await this.evaluate<boolean>(`Boolean(${expression})`).catch(() => false)) {
      if (performance.now() > deadline) {
        throw new Error(`after ${seconds} s this does not hold: ${expression}`);
      }
      await pause(POLL_MS);
    }
  }

  /** Saves what is seen as PNG. */
  async screenshot(path: string, { whole = false } = {}): Promise<void> {
    const { data } = await this.send("Page.captureScreenshot", {
      ...{ format: "png", captureBeyondViewport: whole },
    }) as { data: string };
    Deno.writeFileSync(path, Uint8Array.fromBase64(data));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket !== undefined) {
      await Promise.race([this.send("Browser.close").catch(() => {}), pause(2000)]);
      this.#socket.close();
      await Promise.race([this.#child.status, pause(10_000)]); // it removes its temporary files
    }
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    for (let i = 0; i < 40; i++) {
      try {
        return Deno.removeSync(this.#profile, { recursive: true });
      } catch {
        await pause(POLL_MS); // its processes still write
      }
    }
  }

  async #connect(): Promise<void> {
    const deadline = performance.now() + START_MS;
    const file = join(this.#profile, "DevToolsActivePort");
    while (!isFile(file) || Deno.readTextFileSync(file).split("\n").length < 2) {
      if (performance.now() > deadline) throw new Error("the browser did not start");
      await pause(POLL_MS);
    }
    const port = Deno.readTextFileSync(file).split("\n")[0];
    const pages = await (await fetch(`http://127.0.0.1:${port}/json`)).json() as {
      type: string;
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(pages.find(({ type }) => type === "page")!.webSocketDebuggerUrl);
    this.#socket = socket;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("the browser does not answer"));
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    await promise;
    for (const domain of ["Page", "Runtime", "Network"]) await this.send(`${domain}.enable`);
  }

  #take({ id, method, params, ...answer }: Answer & Event): void {
    if (id !== undefined) {
      this.#answers.get(id)?.(answer);
      this.#answers.delete(id);
    } else if (method === "Runtime.exceptionThrown") {
      const { text, exception } = params!.exceptionDetails!;
      this.errors.push(exception?.description ?? text);
    } else if (method === "Network.requestWillBeSent") {
      const { url } = params!.request!;
      if (!/^(data|blob):/.test(url)) this.requests.push(url);
    }
  }
}

interface Answer {
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

interface Event {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly exceptionDetails?: {
      readonly text: string;
      readonly exception?: { readonly description?: string };
    };
    readonly request?: { readonly url: string };
  };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
