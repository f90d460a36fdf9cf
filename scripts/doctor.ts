/**
 * `deno task doctor`: what this machine offers, what is missing, and the command that mends it.
 *
 * @module
 */
import { colour, formatTable, runCommand } from "../lib/cli/mod.ts";
import { diagnoseEngine, type Finding } from "../lib/engine/install/mod.ts";

const COLOURS = { error: "red", warning: "yellow", info: "cyan" } as const;

if (import.meta.main) {
  await runCommand({
    name: "doctor",
    summary: "Reports what the engine stands on, and what is missing. Changes nothing.",
    flags: {},
    run: async (_flags, { print }) => {
      const diagnosis = await diagnoseEngine();
      const { versions, processor, tensorflow, webgpu, nvidia, findings, ok } = diagnosis;
      const devices = tensorflow?.devices.map(({ name, type }) => `${name} (${type})`).join(", ");
      print(formatTable([
        ["platform", diagnosis.platform],
        ["Deno", `${versions.deno}, V8 ${versions.v8}, TypeScript ${versions.typescript}`],
        ["Python", versions.python ? `${versions.python}, pip ${versions.pip || "none"}` : "none"],
        ["TensorFlow", versions.tensorflow || "none"],
        ["libraries", tensorflow ? `${tensorflow.folder} (${tensorflow.source})` : "none"],
        ["devices", devices || "none"],
        ["threads", JSON.stringify(tensorflow?.threads ?? processor.threads)],
        ["processor", `${processor.model}, ${processor.threads} threads`],
        ["features", processor.features.join(" ") || "unknown"],
        ["NVIDIA", nvidia.join(" ") || "none"],
        ["WebGPU", webgpu || "none"],
        ["cache", diagnosis.cache],
      ]));
      print("");
      for (const finding of findings) print(describe(finding));
      print(ok ? "Nothing is in the way." : "Something is in the way: see the errors above.");
      return { document: diagnosis, exitCode: ok ? 0 : 1 };
    },
  });
}

function describe({ severity, code, where, message }: Finding): string {
  return `${colour(COLOURS[severity], severity, Deno.stdout)} ${code} (${where}): ${message}`;
}
