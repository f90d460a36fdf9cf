import { marked } from "marked";
import { escapeHtml, htmlPage } from "../plots/_html.ts";
import { DRAW_FIGURES, figurePlace } from "../plots/_plotly.ts";
import { plotlyLibrary } from "../plots/plotly_library.ts";
import { cellText, type Notebook, type NotebookCell, type NotebookOutput } from "./notebook.ts";

const PLOTLY = "application/vnd.plotly.v1+json";

/**
 * A notebook as a page that needs nothing else: text, code, outputs; figures can be zoomed, with
 * Plotly's library once in the page.
 *
 * @param notebook with its outputs
 * @param title of the page
 * @returns HTML
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { notebookPage } from "./mod.ts";
 *
 * const cells = [{ cell_type: "markdown", source: "*Hello*" }];
 * const page = notebookPage({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }, "A tour");
 * assert.match(page, /<em>Hello<\/em>/);
 * ```
 */
export function notebookPage(notebook: Notebook, title: string): string {
  const cells = notebook.cells.map(cellHtml).join("\n");
  const hasFigures = notebook.cells.some(({ outputs = [] }) =>
    outputs.some(({ data }) => PLOTLY in Object(data))
  );
  const [library, draw] = hasFigures ? [plotlyLibrary(), DRAW_FIGURES].map(script) : ["", ""];
  return htmlPage(
    escapeHtml(title),
    `<style>${STYLE}</style>\n${library}`,
    `<main>\n${cells}\n</main>\n${draw}`,
  );
}

function cellHtml(cell: NotebookCell): string {
  const text = cellText(cell);
  if (cell.cell_type === "markdown") {
    const html = marked.parse(text, { async: false });
    // Notebooks beside this one are pages beside its page.
    const linked = html.replace(/href="(?![a-z]+:|\/)([^"#]+)\.ipynb/g, 'href="$1.html');
    return `<section class="text">${linked}</section>`;
  }
  if (cell.cell_type !== "code" || text.trim() === "") return "";
  const outputs = (cell.outputs ?? []).map(outputHtml).join("\n");
  return `<section class="code"><pre class="source"><code>${escapeHtml(text)}</code></pre>\n` +
    `${outputs === "" ? "" : `<div class="outputs">${outputs}</div>`}</section>`;
}

function outputHtml({ output_type, ...fields }: NotebookOutput): string {
  if (output_type === "stream") {
    return `<pre class="${fields.name === "stderr" ? "stderr" : "stdout"}">${
      escapeHtml(plain(fields.text))
    }</pre>`;
  }
  if (output_type === "error") {
    const trace = [fields.traceback ?? []].flat().join("\n");
    return `<pre class="stderr">${
      escapeHtml(plain(trace || `${fields.ename}: ${fields.evalue}`))
    }</pre>`;
  }
  const data = Object(fields.data) as Record<string, unknown>;
  const html = data["text/html"] === undefined ? "" : textOf(data["text/html"]);
  if (PLOTLY in data) {
    return figurePlace(data[PLOTLY], html);
  }
  if (html !== "") return `<div class="html">${html}</div>`;
  if ("image/svg+xml" in data) return `<div class="html">${textOf(data["image/svg+xml"])}</div>`;
  for (const mime of ["image/png", "image/jpeg"]) {
    const bytes = data[mime];
    if (bytes !== undefined) {
      return `<img alt="" src="data:${mime};base64,${textOf(bytes).trim()}">`;
    }
  }
  if ("text/markdown" in data) {
    return `<div class="text">${
      marked.parse(textOf(data["text/markdown"]), { async: false })
    }</div>`;
  }
  return "text/plain" in data ? `<pre>${escapeHtml(plain(data["text/plain"]))}</pre>` : "";
}

function textOf(value: unknown): string {
  return [value].flat().join("");
}

/** Without the codes that colour text on a terminal. */
function plain(value: unknown): string {
  // deno-lint-ignore no-control-regex -- the codes begin with one
  return textOf(value).replace(/\u001b\[[\d;]*m/g, "");
}

function script(code: string): string {
  return `<script>${code}</script>`;
}

const STYLE = `
:root{--ground:#fff;--code:#f4f5f7;--text:#1c1f24;--dim:#5a6270;--line:#dfe2e6;--bad:#a4300f}
@media screen and (prefers-color-scheme:dark){:root{--ground:#16181d;--code:#0e1013;--text:#e4e6ea;
--dim:#a0a7b4;--line:#31353d;--bad:#f08a66}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.55 system-ui,sans-serif}
main{max-width:860px;margin:0 auto;padding:20px 16px 48px}
h1{font-size:1.7rem;line-height:1.25}h2{font-size:1.25rem;margin:1.6em 0 .4em}
pre{font:13px/1.45 ui-monospace,monospace;overflow-x:auto;margin:8px 0}
.source{background:var(--code);border:1px solid var(--line);border-radius:6px;padding:10px 12px}
.outputs{padding:0 12px}.stderr{color:var(--bad)}
.figure{overflow-x:auto;margin:8px 0}.html svg,.html img,.outputs>img{max-width:100%;height:auto}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:4px 8px;border-bottom:1px solid var(--line);text-align:right}
th:first-child,td:first-child{text-align:left}
code{font-family:ui-monospace,monospace;font-size:.9em}a{color:inherit}
`;
