import { statfs } from "node:fs/promises";
import { cacheFolder } from "./cache_folder.ts";
import { nvidiaDevices } from "./_device_memory.ts";
import { InstallError } from "./install_error.ts";
import { searchTensorFlow, type TensorFlowLocation } from "./locate.ts";
import { outputOf, type Processor, readProcessor, readWebGpu } from "./_machine.ts";
import { currentPlatform } from "./_platform.ts";
import { proveTensorFlow, type TensorFlowProof } from "./prove.ts";
import { wheelsFor } from "./_wheels.ts";

export type { Processor } from "./_machine.ts";

/** One thing that a check found. */
export interface Finding {
  /** `error` keeps something from working, `warning` costs speed or certainty, `info` is neither. */
  readonly severity: "error" | "warning" | "info";
  /** A stable word. */
  readonly code: string;
  /** File, folder or part that it is about. */
  readonly where: string;
  /** What it is, and the command that mends it. */
  readonly message: string;
}

/** What {@linkcode diagnoseEngine} found out. */
export interface Diagnosis {
  /** No finding is an `error`. */
  readonly ok: boolean;
  /** What is missing or odd. */
  readonly findings: readonly Finding[];
  /** E.g. `linux-x86_64`. */
  readonly platform: string;
  /** Versions of Deno, V8, TypeScript, TensorFlow, Python and pip; empty text for what is missing. */
  readonly versions: Readonly<Record<string, string>>;
  /** Trocar's cache folder. */
  readonly cache: string;
  /** The processor. */
  readonly processor: Processor;
  /** NVIDIA device files, e.g. `nvidia0`. */
  readonly nvidia: readonly string[];
  /** Name of the WebGPU adapter, empty without one. */
  readonly webgpu: string;
  /** The TensorFlow that was found and started; null if there is none. */
  readonly tensorflow: (TensorFlowLocation & TensorFlowProof) | null;
}

const OLDEST_DENO = [2, 9] as const;

/**
 * Looks at everything that the engine stands on: libraries, processor, GPU, Python, disk. Changes
 * nothing.
 *
 * @param options `module`: URL of the module with `startEngine`; default the engine's own
 * @returns the facts, and what is amiss with the command that mends it
 *
 * @example
 * ```ts
 * import { diagnoseEngine } from "trocar/engine";
 * const { ok, findings } = await diagnoseEngine();
 * console.log(ok, findings.map(({ code }) => code));
 * ```
 */
export async function diagnoseEngine(
  options: { readonly module?: string } = {},
): Promise<Diagnosis> {
  const findings: Finding[] = [];
  const platform = currentPlatform();
  const [processor, webgpu, python, pip] = await Promise.all([
    readProcessor(),
    readWebGpu(),
    outputOf("python3", ["--version"]),
    outputOf("python3", ["-m", "pip", "--version"]),
  ]);
  const cache = await checkCache(findings);
  const location = await checkLibraries(findings, platform, python, pip);
  const proof = location && await checkStart(findings, location, options.module);
  const nvidia = nvidiaDevices();
  if (nvidia.length > 0 && proof !== undefined && !proof.devices.some((d) => d.type === "GPU")) {
    add(findings, "warning", "gpu-unused", `/dev/${nvidia[0]}`, [
      "There is an NVIDIA GPU, but TensorFlow does not use it.",
      location?.cuda ? "See its messages with --verbose." : "Run: deno task setup --cuda",
    ]);
  }
  checkProcessor(findings, processor);
  checkDeno(findings);
  if ("missing" in webgpu) {
    add(findings, "info", "webgpu-missing", "WebGPU", [
      `The engine webgpu is not available: ${webgpu.missing}.`,
    ]);
  }
  if ("name" in webgpu && /llvmpipe|swiftshader|softpipe|lavapipe/i.test(webgpu.name)) {
    add(findings, "info", "webgpu-software", webgpu.name, [
      "The engine webgpu would compute on the processor here: --engine wasm is the better choice",
      "where there is no TensorFlow.",
    ]);
  }
  return {
    ok: !findings.some(({ severity }) => severity === "error"),
    findings,
    platform,
    versions: {
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      typescript: Deno.version.typescript,
      tensorflow: proof?.version ?? "",
      python: python?.replace(/^Python /, "") ?? "",
      pip: /^pip (\S+)/.exec(pip ?? "")?.[1] ?? "",
    },
    cache,
    processor,
    nvidia,
    webgpu: "name" in webgpu ? webgpu.name : "",
    tensorflow: location && proof ? { ...location, ...proof } : null,
  };
}

function add(
  findings: Finding[],
  severity: Finding["severity"],
  code: string,
  where: string,
  message: readonly string[],
): void {
  findings.push({ severity, code, where, message: message.join(" ") });
}

async function checkCache(findings: Finding[]): Promise<string> {
  try {
    const cache = cacheFolder();
    // The folder need not exist: its nearest parent lies on the same disk.
    for (let folder = cache; folder !== ""; folder = folder.slice(0, folder.lastIndexOf("/"))) {
      const space = await statfs(folder).catch(() => undefined);
      if (space === undefined) continue;
      const free = space.bavail * space.bsize;
      if (free < 2e9) {
        add(findings, "warning", "disk-nearly-full", folder, [
          `Only ${(free / 1e9).toFixed(1)} GB are free; setting TensorFlow up takes up to 2 GB.`,
          "Make room, or set TROCAR_CACHE to a folder on a larger disk.",
        ]);
      }
      break;
    }
    return cache;
  } catch (error) {
    add(findings, "error", "bad-setting", "TROCAR_CACHE", [(error as Error).message]);
    return "";
  }
}

async function checkLibraries(
  findings: Finding[],
  platform: string,
  python: string | undefined,
  pip: string | undefined,
): Promise<TensorFlowLocation | undefined> {
  try {
    const { found, rejected } = await searchTensorFlow();
    for (const { source, folder, reason } of rejected) {
      add(findings, source === "cache" ? "warning" : "info", "tensorflow-rejected", folder, [
        `This TensorFlow (${source}) is not used: ${reason}.`,
        ...(source === "cache" ? ["Run: deno task setup"] : []),
      ]);
    }
    if (found !== undefined) return found;
  } catch (error) {
    const code = error instanceof InstallError ? error.code : "tensorflow-search";
    add(findings, "error", code, "TROCAR_TENSORFLOW", [(error as Error).message]);
    return undefined;
  }
  if (wheelsFor(platform, false) === undefined) {
    add(findings, "info", "tensorflow-unsupported", platform, [
      "There is no TensorFlow library for this platform; the engines webgpu and wasm serve.",
    ]);
    return undefined;
  }
  const first = python === undefined
    ? "Install Python 3 and pip first (Debian, Ubuntu: apt install python3 python3-pip), then run:"
    : pip === undefined
    ? "Install pip first (Debian, Ubuntu: apt install python3-pip), then run:"
    : "Run:";
  add(findings, "error", "tensorflow-missing", "TensorFlow", [
    "TensorFlow is not installed; until it is, the slower engine wasm serves.",
    `${first} deno task setup`,
  ]);
  return undefined;
}

async function checkStart(
  findings: Finding[],
  location: TensorFlowLocation,
  module: string | undefined,
): Promise<TensorFlowProof | undefined> {
  try {
    return await proveTensorFlow(location, module === undefined ? {} : { module });
  } catch (error) {
    add(findings, "error", "tensorflow-load", location.folder, [(error as Error).message]);
    return undefined;
  }
}

function checkProcessor(findings: Finding[], { model, features }: Processor): void {
  if (Deno.build.arch !== "x86_64" || features.length === 0) return;
  if (!features.includes("avx")) {
    add(findings, "error", "processor-avx", model, [
      "TensorFlow needs AVX, which this processor lacks. Use --engine wasm.",
    ]);
  } else if (!features.includes("avx2") || !features.includes("fma")) {
    add(findings, "warning", "processor-avx2", model, [
      "Without AVX2 and FMA TensorFlow computes at a fraction of its usual speed.",
    ]);
  }
}

function checkDeno(findings: Finding[]): void {
  const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
  if (major > OLDEST_DENO[0] || major === OLDEST_DENO[0] && minor >= OLDEST_DENO[1]) return;
  add(findings, "warning", "deno-old", Deno.execPath(), [
    `Deno should be ${OLDEST_DENO.join(".")} or later, current value is ${Deno.version.deno}.`,
    "Run the tasks with: npx --yes deno@2.9.6 task …",
  ]);
}
