/**
 * `deno task jupyter`: makes Deno's kernel known to Jupyter, and says how notebooks are opened.
 *
 * @module
 */
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand, textFlag } from "../lib/cli/mod.ts";
import { checkKernelSpec, installKernelSpec } from "../lib/notebooks/mod.ts";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));

if (import.meta.main) {
  await runCommand({
    name: "jupyter",
    summary: "Describes Deno's kernel to Jupyter, and says how to open the notebooks.",
    details: `Writes kernels/deno/kernel.json into the folder .jupyter of the project, which git
ignores, and starts the kernel once. Nothing is installed for the user or the system: Jupyter finds
the kernel where JUPYTER_PATH says. The kernel is Deno's own behind a small program of trocar
that keeps outputs under their cells: Deno 2.9 sends some when the next cell runs already. It
shows rejections that nobody awaits too, and an error stops the cells that wait.
Call it again after Deno or the project has moved. \`deno task notebook\` needs none of this.`,
    flags: {
      output: textFlag("where the kernel is described", {
        default: `${PROJECT}.jupyter`,
        defaultText: ".jupyter in the project",
        placeholder: "DIR",
      }),
    },
    run: async ({ output }, { print, note, progress, signal }) => {
      const spec = installKernelSpec(resolve(output));
      progress.update("starting the kernel");
      await checkKernelSpec(spec, { signal });
      progress.clear();
      const at = relative(Deno.cwd(), spec.file) || spec.file;
      note(`${at} ${spec.changed ? "was written" : "is as it should be"}; the kernel answers`);
      const commands = {
        jupyterlab: `${environment(spec.folder)} jupyter lab ${shellWord(`${PROJECT}notebooks`)}`,
        vscode: `${environment(spec.folder)} code ${shellWord(PROJECT.replace(/[\\/]$/, ""))}`,
      };
      print(`JupyterLab (python3 -m pip install jupyterlab):
  ${commands.jupyterlab}
VS Code (with its extensions Deno and Jupyter; quit it first, if it runs):
  ${commands.vscode}
  Open a notebook, then: Select Kernel > Jupyter Kernel > Deno
Without either: deno task notebook --html pages`);
      return {
        document: { ...spec, environment: { JUPYTER_PATH: spec.folder }, commands },
      };
    },
  });
}

/** What stands before a command that has to find the kernel. */
function environment(folder: string): string {
  return Deno.build.os === "windows"
    ? `$env:JUPYTER_PATH = ${shellWord(folder)};`
    : `JUPYTER_PATH=${shellWord(folder)}`;
}

/** A path as one word of a shell. */
function shellWord(path: string): string {
  if (/^[\w./:@%+=,-]+$/.test(path)) return path;
  return `'${path.replaceAll("'", Deno.build.os === "windows" ? "''" : `'\\''`)}'`;
}
