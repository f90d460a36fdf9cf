/**
 * What Jupyter starts as the kernel of notebooks, see `deno task jupyter`.
 *
 * @module
 */
import { serveKernel } from "../lib/notebooks/ordered_kernel.ts";

if (import.meta.main) {
  const [file] = Deno.args;
  if (file === undefined) {
    console.error(
      "error: Jupyter starts this program, with a connection file. See: deno task jupyter",
    );
    Deno.exit(2);
  }
  await serveKernel(file);
  Deno.exit(0);
}
