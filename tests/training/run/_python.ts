/** Whether Python has a package. */
export function pythonHas(name: string): boolean {
  try {
    return new Deno.Command("python3", { args: ["-c", `import ${name}`], stderr: "null" })
      .outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
