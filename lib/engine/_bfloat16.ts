/** Whether the device in use has instructions for products in bfloat16. */
import type { TensorFlowBinding } from "./tensorflow/_binding.ts";

/** CPU flags, as Linux names them, with which oneDNN has kernels for bfloat16. */
const FLAGS = /\b(avx512_bf16|amx_bf16|bf16)\b/;

let cpu: boolean | undefined;

/** True on a GPU, and on a CPU with bfloat16 instructions. */
export function hasBfloat16(binding: TensorFlowBinding): boolean {
  if (binding.isUsingGpuDevice()) return true;
  cpu ??= readFlags();
  return cpu;
}

function readFlags(): boolean {
  try {
    return FLAGS.test(Deno.readTextFileSync("/proc/cpuinfo"));
  } catch {
    return false; // not Linux
  }
}
