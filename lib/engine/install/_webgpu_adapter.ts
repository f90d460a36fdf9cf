// Run as a process of its own by _machine.ts.
if (import.meta.main) {
  const { gpu } = navigator as { gpu?: GPU };
  if (gpu === undefined) answer({ missing: "this Deno has no WebGPU" });
  else {
    try {
      const adapter = await gpu.requestAdapter();
      if (adapter === null) answer({ missing: "no graphics adapter was found" });
      else {
        const { vendor, architecture, device, description } = adapter.info;
        const name = description || [vendor, architecture, device].filter(Boolean).join(" ");
        answer({ name: name || "unnamed adapter" });
      }
    } catch (error) {
      answer({ missing: error instanceof Error ? error.message : String(error) });
    }
  }
}

function answer(value: { name: string } | { missing: string }): void {
  console.log(JSON.stringify(value));
  Deno.exit(0);
}
