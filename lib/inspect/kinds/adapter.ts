import { join } from "node:path";
import { folderBytes } from "../../formats/_folder_files.ts";
import { isFile } from "../../formats/_path.ts";
import { openSafetensors } from "../../formats/safetensors.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../../vision_language/_file_names.ts";
import { readAdapterSettings } from "../../vision_language/adapter_file.ts";
import { adapterProblems } from "../../vision_language/adapter_problems.ts";
import { attempt, countDtypes, countNumbers, describeAll } from "../_weights.ts";
import type { InspectOptions, Kind } from "../inspection.ts";

/** An adapter as peft saves it; what does not fit in it is listed. */
export const adapter: Kind = {
  name: "adapter",
  summary: `a folder with ${ADAPTER_CONFIG}: a low-rank adapter as peft saves it`,
  claims: ({ isFolder, entries }) => isFolder && entries.includes(ADAPTER_CONFIG),
  inspect: async ({ path }, options) => {
    const problems: string[] = [];
    const known = attempt(problems, () => readAdapterSettings(path));
    const tensors = await weightsOf(path, problems, options);
    if (known !== undefined && tensors !== undefined) {
      problems.push(
        ...adapterProblems(known.lora, new Map(tensors.map((tensor) => [tensor.name, tensor]))),
      );
    }
    const entries = tensors ?? [];
    return {
      tensors: entries,
      bytes: folderBytes(path),
      details: {
        ...(known === undefined ? {} : {
          ...known.lora,
          baseModel: known.settings["base_model_name_or_path"] ?? "not named",
        }),
        tensors: entries.length,
        parameters: countNumbers(entries),
        dtypes: countDtypes(entries),
        problems,
      },
    };
  },
};

async function weightsOf(folder: string, problems: string[], options: InspectOptions) {
  const path = join(folder, ADAPTER_WEIGHTS);
  if (!isFile(path)) {
    problems.push(`${ADAPTER_WEIGHTS} is missing`);
    return undefined;
  }
  using file = attempt(problems, () => openSafetensors(path)) ?? null;
  if (file === null) return undefined;
  return await describeAll(file.names.map((name) => [name, file.tensor(name)]), options);
}
