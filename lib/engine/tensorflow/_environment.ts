/** What must be set in the process before TensorFlow is loaded: log noise and memory allocation. */

const libc = {
  dup: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  dlopen: { parameters: ["buffer", "i32"], result: "pointer", optional: true },
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32", optional: true },
  mallopt: { parameters: ["i32", "i32"], result: "i32", optional: true },
} as const;

function openLibc(): Deno.DynamicLibrary<typeof libc>["symbols"] | undefined {
  try {
    return Deno.dlopen(Deno.build.os === "darwin" ? "libSystem.B.dylib" : "libc.so.6", libc)
      .symbols;
  } catch {
    return undefined; // musl, or another name: nothing is silenced or tuned
  }
}

/**
 * Keeps an open library in the process to its end. Deno closes what it opened before the process or the
 * worker ends, while TensorFlow's threads still run in it: a segmentation fault.
 */
export function keepLoaded(path: string): void {
  const NOW = 2, NO_DELETE = Deno.build.os === "darwin" ? 0x80 : 0x1000;
  openLibc()?.dlopen?.(new TextEncoder().encode(path + "\0"), NOW | NO_DELETE);
}

/**
 * Runs a function with the process's standard error closed: while TensorFlow's libraries are loaded
 * they write remarks that no setting suppresses, because no setting is read yet.
 */
export function withoutStandardError<T>(body: () => T): T {
  const symbols = openLibc();
  if (symbols === undefined) return body();
  const STDERR = 2, WRITE_ONLY = 1;
  const saved = symbols.dup(STDERR);
  const nowhere = symbols.open(new TextEncoder().encode("/dev/null\0"), WRITE_ONLY);
  if (saved < 0 || nowhere < 0) return body();
  symbols.dup2(nowhere, STDERR);
  symbols.close(nowhere);
  try {
    return body();
  } finally {
    symbols.dup2(saved, STDERR);
    symbols.close(saved);
  }
}

/**
 * Keeps this process's answer to a request to end. TensorFlow's coordination service installs a handler
 * of its own for SIGTERM, to notice preemption, and listeners of JavaScript would never hear it again.
 *
 * @returns Puts the present answer back.
 */
export function keepTermination(): () => void {
  const SIGTERM = 15, LARGER_THAN_SIGACTION = 512;
  const sigaction = Deno.build.os === "windows" ? undefined : openLibc()?.sigaction;
  const saved = new Uint8Array(LARGER_THAN_SIGACTION);
  if (!sigaction || sigaction(SIGTERM, null, saved) !== 0) return () => {};
  return () => void sigaction(SIGTERM, saved, null);
}

/** Severities of Abseil's log (`log_severity.h`). */
export const ERROR = 2, FATAL = 3;

/**
 * Silences TensorFlow's log from now on.
 *
 * @param framework Path of `libtensorflow_framework`, which must be open already.
 * @param from The lowest severity that remains.
 */
export function silence(framework: string, from: number): void {
  if (Deno.env.get("TF_CPP_MIN_LOG_LEVEL") === undefined) {
    Deno.env.set("TF_CPP_MIN_LOG_LEVEL", "2");
  }
  // TensorFlow 2.21 logs through Abseil, which ignores that variable. The symbol's name holds
  // Abseil's release; with another release the log is merely not silenced.
  const { symbols } = Deno.dlopen(framework, {
    setMinLogLevel: {
      name: "_ZN4absl12lts_2025081414SetMinLogLevelENS0_18LogSeverityAtLeastE",
      parameters: ["i32"],
      result: "void",
      optional: true,
    },
  });
  symbols.setMinLogLevel?.(from);
}

const M_TRIM_THRESHOLD = -1;
const M_TOP_PAD = -2;
const M_MMAP_THRESHOLD = -3;
const M_ARENA_MAX = -8;

/**
 * Makes glibc keep freed memory. TensorFlow's CPU allocator asks malloc for every tensor; by default
 * malloc returns each large block to the kernel, which faults its pages in again for the next one.
 */
export function keepFreedMemory(): void {
  if (Deno.build.os !== "linux" || Deno.env.get("TROCAR_MALLOC") === "default") return;
  const mallopt = openLibc()?.mallopt;
  mallopt?.(M_MMAP_THRESHOLD, 0x7fff0000);
  mallopt?.(M_TRIM_THRESHOLD, 0x7fff0000);
  mallopt?.(M_TOP_PAD, 64 << 20);
  mallopt?.(M_ARENA_MAX, 1);
}

/**
 * Lets XLA's CPU compiler make one loop of several results; without, each is a pass over memory. XLA reads
 * the variable when it compiles for the first time. What the user set remains.
 */
export function allowJointLoops(): void {
  const flags = Deno.env.get("XLA_FLAGS") ?? "";
  if (flags.includes("xla_backend_extra_options")) return;
  const option = "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion=true";
  Deno.env.set("XLA_FLAGS", `${flags} ${option}`.trim());
}

/**
 * Refuses to go on where TensorFlow would crash: another LLVM in the process, such as the one of Mesa's
 * software WebGPU driver, shares its symbols with TensorFlow's. The other order is harmless.
 *
 * @throws {Error} Naming the library.
 */
export function expectNoOtherLlvm(): void {
  if (Deno.build.os !== "linux") return;
  const [loaded] = /\S*\/libLLVM\S*/.exec(Deno.readTextFileSync("/proc/self/maps")) ?? [];
  if (loaded !== undefined) {
    throw new Error(
      `Cannot start TensorFlow: this process has loaded another LLVM, current value is ${loaded}; start TensorFlow before WebGPU, or in a new process`,
    );
  }
}
