/** Whether the device in use has instructions for products in bfloat16. */
import type { TensorFlowBinding } from "./tensorflow/_binding.ts";

/** CPU flags, as Linux names them, with which oneDNN has kernels for bfloat16. */
const FLAGS = /\b(avx512_bf16|amx_bf16|bf16)\b/;

/** Those whose products are faster than in float32; with `avx512_bf16` alone they take 1.6 times as long. */
const FAST_FLAGS = /\b(amx_bf16|bf16)\b/;

let cpu: string | undefined;

/** True on a GPU, and on a CPU with bfloat16 instructions. */
export function hasBfloat16(binding: TensorFlowBinding): boolean {
  return binding.isUsingGpuDevice() || FLAGS.test(cpu ??= readFlags());
}

/** True on a GPU, and on a CPU with matrix units for bfloat16. */
export function isBfloat16Fast(binding: TensorFlowBinding): boolean {
  return binding.isUsingGpuDevice() || FAST_FLAGS.test(cpu ??= readFlags());
}

function readFlags(): string {
  try {
    return /^(flags|Features)\s*:.*/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[0] ?? "";
  } catch {
    return ""; // not Linux
  }
}
