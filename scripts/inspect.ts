/**
 * `deno task inspect PATH`: what is in a file or folder.
 *
 * @module
 */
import { formatTable, printable, runCommand, switchFlag } from "../lib/cli/mod.ts";
import { formatInspection, inspect, KINDS } from "../lib/inspect/mod.ts";

/** A table whose cells, which come from files, cannot command the terminal. */
function formatCells(rows: (string | number)[][]): string {
  return formatTable(
    rows.map((row) => row.map((cell) => typeof cell === "string" ? printable(cell) : cell)),
  );
}

if (import.meta.main) {
  await runCommand({
    name: "inspect",
    summary: "Shows what is in a file or folder. Reads headers only, unless --stats is given.",
    arguments: "PATH",
    details: `Known are:
${KINDS.map(({ summary }) => `  ${summary}`).join("\n")}

Exit code 1 if the file is damaged, or of no known kind. For a quick look in a script:
  deno task inspect sensor_data.npz --keys | grep -x alines`,
    flags: {
      keys: switchFlag("print the names in it only, one per line"),
      stats: switchFlag(
        "read all values: count, min, max, mean, standard deviation, NaN, infinite",
      ),
    },
    run: async ({ keys, stats }, context) => {
      const { arguments: [path = ""], print, progress, signal } = context;
      const inspection = await inspect(path, {
        stats,
        signal,
        onProgress: (name, done, total) =>
          progress.update(`${printable(name)} ${Math.floor(100 * done / Math.max(1, total))} %`),
      });
      progress.clear();
      print(
        keys
          ? inspection.keys.map((key) => printable(key)).join("\n")
          : formatInspection(inspection, formatCells),
      );
      return { document: inspection };
    },
  });
}
