/** What must be set in the process before TensorFlow is loaded: log noise and memory allocation. */

/**
 * Silences TensorFlow's log.
 *
 * @param framework Path of `libtensorflow_framework`.
 */
export function silence(framework: string): void {
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
  const ERROR = 2;
  symbols.setMinLogLevel?.(ERROR);
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
  try {
    const { symbols } = Deno.dlopen("libc.so.6", {
      mallopt: { parameters: ["i32", "i32"], result: "i32" },
    });
    symbols.mallopt(M_MMAP_THRESHOLD, 0x7fff0000);
    symbols.mallopt(M_TRIM_THRESHOLD, 0x7fff0000);
    symbols.mallopt(M_TOP_PAD, 64 << 20);
    symbols.mallopt(M_ARENA_MAX, 1);
  } catch {
    // Another C library (musl): its defaults stay.
  }
}
