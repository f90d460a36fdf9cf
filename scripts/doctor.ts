/**
 * `deno task doctor`: what this machine offers, what is missing, and the command that mends it; with
 * `--data DIR`, or DIR alone, the quality of recordings and episodes.
 *
 * @module
 */
import {
  colour,
  type CommandContext,
  type CommandResult,
  formatTable,
  listFlag,
  runCommand,
  switchFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import { diagnoseEngine, type Finding } from "../lib/engine/install/mod.ts";
import {
  diagnoseData,
  formatDataDiagnosis,
  formatDataFindings,
} from "../lib/episodes/doctor/mod.ts";

const COLOURS = { error: "red", warning: "yellow", info: "cyan" } as const;

if (import.meta.main) {
  await runCommand({
    name: "doctor",
    summary: "Reports what the engine stands on, and what is missing. Changes nothing.",
    arguments: "[DIR...]",
    details: `With folders, behind --data or not, it reports on data instead: recordings of every
layout, episode containers and data.pkl below them. Whether files are whole, streams run at their rates and on clocks
that agree, values make sense, derived files still fit; whether actions are the differences of the
robot's poses, and no image or sensor row is later than the action it belongs to. Exit code 1 if a
finding is an error: data that cannot be used as they are. A warning is usable with loss; remarks
(info) are left out by --quiet.`,
    flags: {
      data: listFlag("recordings, episodes, folders of them, or wildcards: report on these", {
        placeholder: "DIR",
      }),
      quick: switchFlag("with --data: no checksums, and no look at the bytes of images"),
    },
    run: async ({ data, quick, quiet }, context) => {
      const roots = [...data, ...context.arguments];
      if (roots.length > 0) return await reportData(roots, { quick, quiet }, context);
      if (quick) throw new UsageError("Flag --quick goes with --data DIR.");
      return await reportEngine(quiet, context);
    },
  });
}

async function reportData(
  data: readonly string[],
  { quick, quiet }: { readonly quick: boolean; readonly quiet: boolean },
  { print, progress, signal }: CommandContext,
): Promise<CommandResult> {
  const diagnosis = await diagnoseData(data, {
    quick,
    signal,
    onPlace: (path, done, total) => progress.update(`${done + 1} of ${total}: ${path}`),
  });
  progress.clear();
  const findings = formatDataFindings(diagnosis, { label, quiet });
  if (findings !== "") print(`${findings}\n`);
  print(formatDataDiagnosis(diagnosis, formatTable));
  return { document: diagnosis, exitCode: diagnosis.ok ? 0 : 1 };
}

async function reportEngine(quiet: boolean, { print }: CommandContext): Promise<CommandResult> {
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
  for (const finding of findings) {
    if (!quiet || finding.severity !== "info") print(describe(finding));
  }
  print(ok ? "Nothing is in the way." : "Something is in the way: see the errors above.");
  return { document: diagnosis, exitCode: ok ? 0 : 1 };
}

function label(severity: Finding["severity"]): string {
  return colour(COLOURS[severity], severity, Deno.stdout);
}

function describe({ severity, code, where, message }: Finding): string {
  return `${label(severity)} ${code} (${where}): ${message}`;
}
