import type { CommandContext } from "../cli/mod.ts";
import { type Demonstration, ensureDemonstration } from "../demonstration/mod.ts";

/**
 * The simulated data of the first command, made where they are missing.
 *
 * @param features folder of the feature cache
 * @param trainEpisodes how many episodes train; default as many as the demonstration has
 * @param context of the command
 * @returns episodes and features
 */
export async function demonstrationData(
  features: string,
  trainEpisodes: number | undefined,
  { note, progress, signal }: CommandContext,
): Promise<Demonstration> {
  const made = await ensureDemonstration({
    ...{ features, note, signal, onProgress: (line: string) => progress.update(line) },
    ...(trainEpisodes === undefined ? {} : { trainEpisodes }),
  });
  progress.clear();
  return made;
}
