import { cpus } from "node:os";

/** The processor: its name, threads, and the instruction sets that matter to TensorFlow. */
export interface Processor {
  /** As it calls itself. */
  readonly model: string;
  /** Logical processors. */
  readonly threads: number;
  /** Instruction sets that matter to the engine, as the system names them. */
  readonly features: readonly string[];
}

const FEATURES = [
  ...["sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni"],
  ...["avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "amx_fp16"],
  ...["asimd", "asimddp", "bf16", "i8mm", "sve", "sve2"],
];

/** What the operating system says of the processor; no features where it does not tell. */
export async function readProcessor(): Promise<Processor> {
  const model = cpus()[0]?.model.trim() || "unknown";
  const flags = new Set(Deno.build.os === "darwin" ? await macFlags() : await linuxFlags());
  return {
    model,
    threads: navigator.hardwareConcurrency,
    features: FEATURES.filter((feature) => flags.has(feature)),
  };
}

async function linuxFlags(): Promise<string[]> {
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    return /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(" ") ?? [];
  } catch {
    return [];
  }
}

async function macFlags(): Promise<string[]> {
  const text = await outputOf("sysctl", ["-a"]) ?? "";
  const flags = /^machdep\.cpu\.features: (.*)$/m.exec(text)?.[1]?.toLowerCase().split(" ") ?? [];
  const names = { AdvSIMD: "asimd", FEAT_DotProd: "asimddp", FEAT_BF16: "bf16", FEAT_I8MM: "i8mm" };
  for (const [key, name] of Object.entries(names)) {
    if (new RegExp(`^hw\\.optional\\.(arm\\.)?${key}: 1$`, "m").test(text)) flags.push(name);
  }
  return flags;
}

/**
 * The graphics adapter that the engine webgpu would use, or why there is none. Asked in a process
 * of its own: graphics drivers write to standard error, and some of them crash.
 */
export async function readWebGpu(): Promise<{ name: string } | { missing: string }> {
  const script = new URL("./_webgpu_adapter.ts", import.meta.url).href;
  const text = await outputOf(Deno.execPath(), ["run", "-A", "--no-check", script]);
  try {
    const answer: unknown = JSON.parse(text?.split("\n").at(-1) ?? "");
    const { name, missing } = answer as Record<string, unknown>;
    if (typeof name === "string") return { name };
    if (typeof missing === "string") return { missing };
  } catch {
    // Said below.
  }
  return { missing: "the graphics driver does not answer" };
}

/** Standard output of a program, or undefined when it is missing or fails. */
export async function outputOf(
  program: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(10_000),
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
