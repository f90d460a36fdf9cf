/** Chooses an engine, starts it, and says in one line which and why. */
import * as tf from "@tensorflow/tfjs";
import { type Cluster, ONE_PROCESS } from "./collectives/cluster.ts";
import { connect } from "./collectives/connect.ts";
import { NativeCluster } from "./collectives/_native_cluster.ts";
import { clusterFromEnvironment, type ClusterMember } from "./collectives/tf_config.ts";
import { startWasm, startWebGpu } from "./_fallback.ts";
import { registerMissingGradients } from "./_missing_gradients.ts";
import type { InstallProgress } from "./install/install.ts";
import { installTensorFlow } from "./install/install.ts";
import { proveOnce } from "./install/_prove_once.ts";
import { InstallError } from "./install/install_error.ts";
import { searchTensorFlow, type TensorFlowLocation } from "./install/locate.ts";
import { startTensorFlow } from "./tensorflow/start.ts";

/** What computes. */
export type EngineName = "tensorflow" | "webgpu" | "wasm";

/** An engine that was started; tfjs computes with it from now on. */
export interface Engine {
  /** What computes. */
  readonly name: EngineName;
  /** Why this one, a phrase for people. */
  readonly reason: string;
  /** Version of TensorFlow, or of the tfjs backend. */
  readonly version: string;
  /** Folder of TensorFlow's libraries; absent for the other engines. */
  readonly path?: string;
  /** Where TensorFlow was found: `TROCAR_TENSORFLOW`, `cache`, `python` or `system`. */
  readonly source?: string;
  /** What it computes on, most important last for TensorFlow (`CPU` before `GPU`). */
  readonly devices: readonly { readonly name: string; readonly type: string }[];
  /** CPU threads inside one op; 0 when a GPU computes. */
  readonly threads: number;
  /** The processes that train together: this one alone, unless `TF_CONFIG` names more. */
  readonly cluster: Cluster;
}

/** How an engine is chosen and started. */
export interface StartOptions {
  /**
   * `auto` takes TensorFlow, fetching it if need be; else WebGPU on a real GPU; else WebAssembly.
   * @default {"auto"}
   */
  readonly engine?: "auto" | EngineName;
  /** Whether TensorFlow may be fetched when there is none. @default {true} */
  readonly install?: boolean;
  /**
   * Whether a TensorFlow that was never started on this machine, or that has changed since, is first
   * started in a process of its own: a damaged library would end this one without a word.
   * @default {true}
   */
  readonly prove?: boolean;
  /**
   * Threads inside one op of TensorFlow, 1 … 1024; what the first start says holds.
   * @default {`OMP_NUM_THREADS`, else the number of logical CPUs}
   */
  readonly threads?: number;
  /**
   * Whether this process joins the others that `TF_CONFIG` names; null: it computes alone whatever
   * `TF_CONFIG` says.
   * @default {"environment"}
   */
  readonly cluster?: "environment" | null;
  /** Prints nothing. @default {false} */
  readonly quiet?: boolean;
  /** Lets TensorFlow's own log through. @default {false} */
  readonly verbose?: boolean;
  /** Called while TensorFlow is fetched. */
  readonly onProgress?: (progress: InstallProgress) => void;
  /** Stops fetching TensorFlow and removes what was written. */
  readonly signal?: AbortSignal;
  /** Takes each line for people. @default {console.error} */
  readonly log?: (line: string) => void;
}

const ENGINES: readonly string[] = ["auto", "tensorflow", "webgpu", "wasm"];

let started: Engine | undefined;

/**
 * The engine in use.
 *
 * @returns What the last start said; undefined before the first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { currentEngine, startEngine } from "trocar/engine";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * assert(currentEngine()?.name === "wasm");
 * ```
 */
export function currentEngine(): Engine | undefined {
  return started;
}

/**
 * Starts an engine. Everything that trocar and tfjs compute afterwards runs on it. A later call that
 * asks for the same engine, or for `auto`, returns the one that runs; a call for another one changes
 * engines, and tensors and variables of the old one must not be used any more.
 *
 * @param options Which engine, and who is told.
 * @returns What was started.
 * @throws {RangeError} If the name is none of the four, threads is out of range, or `TF_CONFIG` names
 * several processes and the engine is not TensorFlow.
 * @throws {SyntaxError} If `TF_CONFIG` cannot be read.
 * @throws {Error} If the engine that was asked for by name cannot be started, or `TROCAR_TENSORFLOW` names
 * a folder that does not serve; otherwise `auto` falls back.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "trocar/engine";
 *
 * const engine = await startEngine({ engine: "wasm", quiet: true });
 * assert(engine.name === "wasm");
 * assert((await tf.add(1, 2).data())[0] === 3);
 * ```
 */
export function startEngine(options: StartOptions = {}): Promise<Engine> {
  // One after the other: two starts at once would make two contexts, of which tfjs uses one.
  const next = pending.then(() => start(options));
  pending = next.catch(() => {});
  return next;
}

let pending: Promise<unknown> = Promise.resolve();

async function start(options: StartOptions): Promise<Engine> {
  const { engine: wanted = "auto", quiet = false, log = console.error } = options;
  if (!ENGINES.includes(wanted)) {
    throw new RangeError(
      `Cannot start engine: it must be one of ${ENGINES.join(", ")}, current value is "${wanted}"`,
    );
  }
  const { threads } = options;
  if (threads !== undefined) expectThreads(threads, "threads");
  if (started !== undefined && (wanted === "auto" || wanted === started.name)) return started;
  const say = quiet ? () => {} : log;
  const member = options.cluster === null ? null : clusterFromEnvironment();
  const others = member !== null && member.size > 1 ? member : undefined;
  if (others !== undefined && wanted !== "auto" && wanted !== "tensorflow") {
    throw new RangeError(
      `Cannot start engine: only tensorflow computes in several processes, and TF_CONFIG names ${others.size}, current value is "${wanted}"; unset TF_CONFIG or use --engine tensorflow`,
    );
  }
  const engine = wanted === "auto" && others === undefined
    ? await startBest(options, say)
    : wanted === "auto"
    ? await startNative(options, say, "the only choice for several processes", others)
    : wanted === "tensorflow"
    ? await startNative(options, say, "asked for", others)
    : wanted === "webgpu"
    ? await startGpu("asked for")
    : await startPortable("asked for");
  await tf.ready();
  registerMissingGradients();
  say(describe(engine));
  return started = engine;
}

function describe(engine: Engine): string {
  const { name, version, source, devices, threads, reason, cluster } = engine;
  const where = source === undefined ? "" : ` (${source})`;
  const types = devices.map((device) => device.type).join(" + ");
  const using = threads > 0
    ? `${types}, ${threads} ${threads === 1 ? "thread" : "threads"}`
    : types;
  const place = cluster.size === 1 ? "" : `, process ${cluster.rank} of ${cluster.size}`;
  return `engine: ${name} ${version}${where} on ${using}${place}: ${reason}`;
}

async function startBest(options: StartOptions, say: (line: string) => void): Promise<Engine> {
  let problem: string;
  try {
    return await startNative(options, say, "the first choice");
  } catch (error) {
    const isSet = Deno.env.has("TROCAR_TENSORFLOW");
    if (isSet && error instanceof InstallError && error.code === "bad-setting") throw error;
    problem = error instanceof Error ? error.message : String(error);
  }
  say(`TensorFlow cannot be used: ${problem}`);
  const gpu = await startWebGpu();
  return "unavailable" in gpu || !gpu.hardware
    ? await startPortable("TensorFlow is missing and there is no GPU for WebGPU")
    : await startGpu("TensorFlow is missing");
}

async function startNative(
  options: StartOptions,
  say: (line: string) => void,
  reason: string,
  member?: ClusterMember,
): Promise<Engine> {
  const location = await find(options, say);
  if (options.prove ?? true) await proveOnce(location);
  const { threads = defaultThreads(), verbose = false } = options;
  const counts = { intraOpThreads: threads, interOpThreads: threads };
  const native = await startTensorFlow(location.libraries, {
    ...counts,
    verbose,
    ...(member && {
      connect: async (library, context) => {
        await connect(library, context, member, { ...counts, timeout: joinSeconds() });
      },
    }),
  });
  await tf.setBackend("tensorflow");
  return {
    name: "tensorflow",
    reason,
    version: native.binding.TF_Version,
    path: location.folder,
    source: location.source,
    devices: native.binding.devices,
    threads,
    cluster: member === undefined ? ONE_PROCESS : new NativeCluster(native, member),
  };
}

/** OpenMP's variable, which launchers of several processes on one machine set. */
function defaultThreads(): number {
  const text = Deno.env.get("OMP_NUM_THREADS") ?? "";
  if (text === "") return navigator.hardwareConcurrency;
  const threads = Number(text.split(",")[0]); // further numbers are for nested regions
  expectThreads(threads, "OMP_NUM_THREADS", text);
  return threads;
}

function expectThreads(threads: number, name: string, shown: string | number = threads): void {
  if (Number.isInteger(threads) && threads > 0 && threads <= 1024) return;
  throw new RangeError(
    `Cannot start engine: ${name} must be an integer from 1 to 1024, current value is ${shown}`,
  );
}

/** How long a cluster's processes wait for each other at the start. */
function joinSeconds(): number {
  const text = Deno.env.get("TROCAR_JOIN_SECONDS") ?? "300";
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 86400) return seconds;
  throw new RangeError(
    `Cannot start engine: TROCAR_JOIN_SECONDS must be above 0 and at most 86400, current value is "${text}"`,
  );
}

async function find(
  { install = true, onProgress, signal }: StartOptions,
  say: (line: string) => void,
): Promise<TensorFlowLocation> {
  const { found, rejected } = await searchTensorFlow();
  if (found !== undefined) return found;
  for (const { folder, reason } of rejected) say(`passed over ${folder}: ${reason}`);
  if (!install) {
    throw new Error("Cannot start TensorFlow: it is not installed. Run: deno task setup");
  }
  say("TensorFlow is not installed yet: fetching it, once for all projects");
  const location = await installTensorFlow({
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  say(`TensorFlow ${location.version} is installed: ${location.folder}`);
  return location;
}

async function startGpu(reason: string): Promise<Engine> {
  const gpu = await startWebGpu();
  if ("unavailable" in gpu) {
    throw new Error(
      `Cannot start WebGPU: ${gpu.unavailable}. Use --engine tensorflow or --engine wasm`,
    );
  }
  const devices = gpu.devices.map((name) => ({ name, type: gpu.hardware ? "GPU" : "CPU" }));
  const { version, threads } = gpu;
  return { name: "webgpu", reason, version, devices, threads, cluster: ONE_PROCESS };
}

async function startPortable(reason: string): Promise<Engine> {
  const wasm = await startWasm();
  const devices = wasm.devices.map((name) => ({ name, type: "CPU" }));
  const { version, threads } = wasm;
  return { name: "wasm", reason, version, devices, threads, cluster: ONE_PROCESS };
}
