/** Whether python3 with NumPy is there to look at our files. */
export function hasNumpy(): boolean {
  try {
    return new Deno.Command("python3", { args: ["-c", "import numpy"], stderr: "null" })
      .outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs a Python program; what it prints is JSON. */
export function python(program: string, ...args: string[]): unknown {
  const { success, stdout, stderr } = new Deno.Command("python3", {
    args: ["-c", program, ...args],
  }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(text(stderr));
  return JSON.parse(text(stdout));
}
