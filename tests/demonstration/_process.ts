/** A process of its own that makes a demonstration, to be killed. */
import { ensureDemonstration } from "../../lib/demonstration/mod.ts";

if (import.meta.main) {
  const [options] = Deno.args;
  const { madeEpisodes, madeFeatures } = await ensureDemonstration({
    ...JSON.parse(options!),
    note: (line) => console.error(line),
  });
  console.log(JSON.stringify({ madeEpisodes, madeFeatures }));
}
