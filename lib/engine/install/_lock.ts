import { hostname } from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { InstallError } from "./install_error.ts";

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
}

/** How a lock is waited for. */
export interface LockOptions {
  /** Called once when another process holds the lock. */
  readonly onWait?:
    | ((holder: { pid: number; host: string; isGone: boolean }) => void)
    | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between two heartbeats; default 2000. */
  readonly heartbeat?: number | undefined;
}

const POLL_MS = 200;
/** Missed heartbeats after which a process that no longer exists has lost the lock. */
const MISSED_WHEN_DEAD = 3;
/** The same for a process on another machine, or one that was stopped. */
const MISSED_WHEN_SILENT = 15;

/**
 * A lock file: created only if it does not exist, kept fresh by a heartbeat (its modification
 * time), taken over when its holder is gone. At worst (a holder that was stopped for half a minute
 * and then continues) two processes believe they hold it; {@linkcode FileLock.assertHeld} before
 * every step that others can see then stops the first.
 */
export class FileLock implements AsyncDisposable {
  readonly token: string;
  readonly #path: string;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(path: string, token: string, heartbeat: number) {
    this.#path = path;
    this.token = token;
    this.#timer = setInterval(() => this.#beat(), heartbeat);
  }

  /** Waits until the lock is held. The folder of `path` has to exist. */
  static async acquire(path: string, options: LockOptions = {}): Promise<FileLock> {
    const heartbeat = options.heartbeat ?? 2000;
    const own: Holder = { pid: Deno.pid, host: hostname(), token: crypto.randomUUID() };
    const watch = new StaleWatch(heartbeat);
    let said = false;
    while (true) {
      options.signal?.throwIfAborted();
      const state = await readHolder(path);
      if (state === undefined) {
        if (await createWith(path, own)) return new FileLock(path, own.token, heartbeat);
        continue;
      }
      if (watch.isStale(state)) {
        if (await takeOver(path, state, own)) return new FileLock(path, own.token, heartbeat);
        continue;
      }
      if (!said) {
        said = true;
        const { pid, host } = state.holder ?? { pid: 0, host: "unknown" };
        options.onWait?.({ pid, host, isGone: host === hostname() && !isAlive(pid) });
      }
      await sleep(POLL_MS, undefined, options.signal ? { signal: options.signal } : {});
    }
  }

  /** @throws {InstallError} `lock-lost` when another process has taken the lock over */
  async assertHeld(): Promise<void> {
    const state = await readHolder(this.#path);
    if (state?.holder?.token === this.token) return;
    throw new InstallError(
      "lock-lost",
      `Cannot continue the installation: process ${state?.holder?.pid ?? "?"} on ` +
        `${state?.holder?.host ?? "?"} has taken over the lock ${this.#path}, because this one ` +
        "did not answer for a while. Run the command again.",
    );
  }

  /** Gives the lock back, if it is still held. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    const state = await readHolder(this.#path);
    if (state?.holder?.token === this.token) await Deno.remove(this.#path).catch(() => {});
  }

  async #beat(): Promise<void> {
    const state = await readHolder(this.#path).catch(() => undefined);
    if (state?.holder?.token !== this.token) return;
    const now = new Date();
    await Deno.utime(this.#path, now, now).catch(() => {});
  }
}

interface LockState {
  /** Undefined when the file cannot be understood. */
  readonly holder: Holder | undefined;
  readonly text: string;
  readonly modified: number;
}

/** Decides from what was seen of a lock over time whether its holder is gone. */
class StaleWatch {
  readonly #heartbeat: number;
  #seen = "";
  #since = 0;

  constructor(heartbeat: number) {
    this.#heartbeat = heartbeat;
  }

  isStale(state: LockState): boolean {
    const seen = `${state.modified} ${state.text}`;
    const now = performance.now();
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#since = now;
    }
    // How long the heartbeat has been silent, by this process's own clock.
    const silent = now - this.#since;
    const { holder } = state;
    if (holder !== undefined && holder.host === hostname() && !isAlive(holder.pid)) {
      // The file's age counts here: same machine, same clock. Three beats guard against two
      // containers that share a host name but not their process numbers.
      const age = Math.max(silent, Date.now() - state.modified);
      return age > MISSED_WHEN_DEAD * this.#heartbeat;
    }
    return silent > MISSED_WHEN_SILENT * this.#heartbeat;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}

async function readHolder(path: string): Promise<LockState | undefined> {
  try {
    const [text, info] = await Promise.all([Deno.readTextFile(path), Deno.stat(path)]);
    return { holder: parseHolder(text), text, modified: info.mtime?.getTime() ?? 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, host, token } = JSON.parse(text);
    const known = Number.isSafeInteger(pid) && typeof host === "string" &&
      typeof token === "string";
    return known ? { pid, host, token } : undefined;
  } catch {
    return undefined;
  }
}

/** Creates the lock with its content in one step, or returns false when it exists. */
async function createWith(path: string, own: Holder): Promise<boolean> {
  const draft = `${path}.${own.token}`;
  await Deno.writeTextFile(draft, JSON.stringify(own));
  try {
    await Deno.link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    if (error instanceof Deno.errors.NotFound) throw error;
    // A file system without hard links.
    return await createNew(path, own);
  } finally {
    await Deno.remove(draft).catch(() => {});
  }
}

async function createNew(path: string, own: Holder): Promise<boolean> {
  try {
    await Deno.writeTextFile(path, JSON.stringify(own), { createNew: true });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

/**
 * Replaces a stale lock by ours. Two processes may try this at once: the operating system's lock
 * on the stale file lets one of them through at a time, and the second sees that it has changed.
 */
async function takeOver(path: string, stale: LockState, own: Holder): Promise<boolean> {
  const draft = `${path}.${own.token}`;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  try {
    try {
      if (!await file.tryLock(true)) return false;
    } catch {
      // A file system without such locks: the comparison below has to do.
    }
    const state = await readHolder(path);
    if (state?.text !== stale.text || state.modified !== stale.modified) return false;
    await Deno.writeTextFile(draft, JSON.stringify(own));
    await Deno.rename(draft, path);
    return true;
  } finally {
    file.close();
  }
}
