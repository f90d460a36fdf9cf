/** Whether products in bfloat16 are faster than in float32 on the device in use. */
import type { TensorFlowBinding } from "./tensorflow/_binding.ts";

/** CPU flags, as Linux names them, with which oneDNN has bfloat16 kernels worth using. */
const FLAGS = /\b(avx512_bf16|amx_bf16|bf16)\b/;

let cpu: boolean | undefined;

/** True on a GPU, and on a CPU with bfloat16 instructions. */
export function hasFastBfloat16(binding: TensorFlowBinding): boolean {
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
