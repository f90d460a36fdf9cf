import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installKernelSpec, readNotebook } from "../../lib/notebooks/mod.ts";
import { Browser, findBrowser } from "./_browser.ts";
import { hasJupyterLab, JupyterLab } from "./_jupyter_lab.ts";
import { testCache } from "./_notebook.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const TOUR = join(PROJECT, "notebooks", "00_tour.ipynb");
/** What this test needs and does not find. */
const missing = [
  ...(findBrowser() === undefined ? ["Chromium"] : []),
  ...(hasJupyterLab() ? [] : ["jupyter lab"]),
];

/** The notebook's widget, as a page's script reaches it. */
const WIDGET = `[...(globalThis.jupyterapp?.shell.widgets("main") ?? [])][0]`;
/** Drawings that the page shows. */
const DRAWINGS = `[...document.querySelectorAll(".jp-OutputArea-output img")]
  .filter(({ src, complete, naturalWidth }) =>
    src.startsWith("data:image/svg+xml") && complete && naturalWidth >= 500).length`;

Deno.test({
  name: "JupyterLab shows the tour's figures before and after all its cells ran" +
    (missing.length > 0 ? ` (skipped: no ${missing.join(", no ")})` : ""),
  ignore: missing.length > 0,
  fn: async () => {
    // Below the project, whose settings say what `trocar/…` is; git ignores the folder.
    Deno.mkdirSync(join(PROJECT, ".jupyter"), { recursive: true });
    const folder = Deno.makeTempDirSync({ dir: join(PROJECT, ".jupyter"), prefix: "test-" });
    try {
      Deno.copyFileSync(TOUR, join(folder, "tour.ipynb"));
      const { folder: jupyterPath } = installKernelSpec(join(folder, "jupyter"));
      const env = await testCache();
      await using lab = await JupyterLab.start(folder, { jupyterPath, env });
      await using browser = await Browser.start(findBrowser()!);
      await browser.open(`${lab.url}/lab/tree/tour.ipynb`);
      await browser.until(`${WIDGET}?.content?.model?.cells?.length > 0`, 120);
      // All cells are in the page, not only those in sight.
      await browser.evaluate(`${WIDGET}.content.notebookConfig =
        { ...${WIDGET}.content.notebookConfig, windowingMode: "none" }; 0`);
      await browser.until(`${WIDGET}.sessionContext.session?.kernel?.status === "idle"`, 120);

      const before = readNotebook(TOUR);
      const kinds = (cells: typeof before.cells) =>
        cells.map(({ outputs = [] }) =>
          outputs.map(({ output_type, data }) => [output_type, ...Object.keys(data ?? {}).sort()])
        );
      const figures = kinds(before.cells).flat().filter((kind) =>
        kind.includes("application/vnd.plotly.v1+json")
      ).length;
      await browser.until(`${DRAWINGS} === ${figures}`, 30);
      await save(browser, "jupyterlab_before");

      await browser.evaluate(`(async () => {
        await jupyterapp.commands.execute("notebook:clear-all-cell-outputs");
        await jupyterapp.commands.execute("notebook:run-all-cells");
      })()`);
      const cells = await browser.evaluate<typeof before.cells>(
        `${WIDGET}.content.model.sharedModel.cells.map((cell) => cell.toJSON())`,
      );
      assert.deepEqual(kinds(cells), kinds(before.cells));
      await browser.until(`${DRAWINGS} === ${figures}`, 30);
      await save(browser, "jupyterlab_after");
      assert.deepEqual(
        browser.requests.filter((url) => !url.startsWith(lab.url)),
        [],
        "the page asks the network",
      );
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

/** Pictures of each part of the page, for people to look at. */
async function save(browser: Browser, name: string): Promise<void> {
  const folder = Deno.env.get("TROCAR_SCREENSHOTS");
  if (folder === undefined) return;
  const scroller = `document.querySelector(".jp-WindowedPanel-outer")`;
  const pages = await browser.evaluate<number>(
    `Math.ceil(${scroller}.scrollHeight / ${scroller}.clientHeight)`,
  );
  for (let page = 0; page < pages; page++) {
    await browser.evaluate(`${scroller}.scrollTo(0, ${page} * ${scroller}.clientHeight)`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await browser.screenshot(join(folder, `${name}_${page + 1}.png`));
  }
}
