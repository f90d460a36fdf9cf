import { InstallError } from "./install_error.ts";
import type { TensorFlowLocation } from "./locate.ts";

/** What a TensorFlow that was started says of itself. */
export interface TensorFlowProof {
  /** As the library itself says. */
  readonly version: string;
  /** E.g. `/device:CPU:0`, `CPU`. */
  readonly devices: readonly { readonly name: string; readonly type: string }[];
  /** Threads within an operation, as the engine reports them. */
  readonly threads: unknown;
}

const TIMEOUT_MS = 120_000;

/**
 * Starts the engine on these libraries, in a process of its own: the proof that they load here.
 *
 * @param location where the libraries are
 * @param options `module`: URL of the module with `startEngine`; default the engine's own
 * @returns version and devices
 * @throws {InstallError} `cannot-load`, with the loader's words
 *
 * @example
 * ```ts
 * import { findTensorFlow, proveTensorFlow } from "trocar/engine";
 * const location = await findTensorFlow();
 * if (location) console.log((await proveTensorFlow(location)).devices);
 * ```
 */
export async function proveTensorFlow(
  location: TensorFlowLocation,
  options: { readonly module?: string } = {},
): Promise<TensorFlowProof> {
  const module = options.module ?? new URL("../mod.ts", import.meta.url).href;
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("./_prove.ts", import.meta.url).href, module],
    env: {
      TROCAR_TENSORFLOW: location.folder,
      TF_CPP_MIN_LOG_LEVEL: "2",
      NO_COLOR: "1",
      TF_CONFIG: "", // alone, whatever cluster this process belongs to
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  const answer = parse(text.split("\n").at(-1) ?? "");
  if (code === 0 && Array.isArray(answer.devices) && typeof answer.version === "string") {
    return { version: answer.version, devices: answer.devices, threads: answer.threads };
  }
  const words = typeof answer.error === "string"
    ? answer.error
    : `${signal ?? `exit code ${code}`}\n${new TextDecoder().decode(stderr).trim().slice(-2000)}`;
  throw new InstallError(
    "cannot-load",
    `Cannot load TensorFlow from ${location.folder}: ${words.trim()}\n${advice(words, signal)}`,
  );
}

function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}

/** What the usual causes call for. */
function advice(words: string, signal: Deno.Signal | null): string {
  if (/GLIBC(XX)?_[\d.]+'? not found/.test(words)) {
    return "The system's C library is too old for these libraries (glibc 2.27 or later is " +
      "needed): use a newer system.";
  }
  if (/cannot open shared object file/.test(words)) {
    return "A system library is missing: install the one that is named.";
  }
  if (signal === "SIGILL") {
    return "This processor lacks instructions that these libraries need (AVX).";
  }
  return "Install it again: deno task setup --force";
}
