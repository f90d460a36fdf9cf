// Run as a process of its own by prove.ts: a library that does not suit this machine may end the
// process that opens it, and its log must not get between the reader and the answer.
if (import.meta.main) {
  const [module = ""] = Deno.args;
  try {
    const { startEngine } = await import(module);
    if (typeof startEngine !== "function") throw new Error(`${module} has no startEngine()`);
    const { version, devices, threads } = await startEngine({ engine: "tensorflow", prove: false });
    console.log(JSON.stringify({ version, devices, threads }));
    Deno.exit(0);
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
    Deno.exit(1);
  }
}
