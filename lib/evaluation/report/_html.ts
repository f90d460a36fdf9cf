/** Pieces of the report page; every text is escaped. */
import { escapeHtml, htmlPage } from "../../plots/_html.ts";

/** A section with a heading; nothing if it is empty. */
export function section(heading: string, ...parts: readonly string[]): string {
  const body = parts.join("\n");
  return body.trim() === ""
    ? ""
    : `<section>\n<h2>${escapeHtml(heading)}</h2>\n${body}\n</section>`;
}

/** A paragraph. */
export function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

const MINUS = "\u2212";

/** A table: the first row is its heading, the first column names the rows. */
export function table(rows: readonly (readonly string[])[], className = ""): string {
  const [heading = [], ...body] = rows;
  const head = heading.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join("");
  const lines = body.map(([name = "", ...cells]) =>
    `<tr><th scope="row">${escapeHtml(name)}</th>` +
    cells.map((cell) => `<td>${escapeHtml(cell.replace(/^-/, MINUS))}</td>`).join("") + "</tr>"
  );
  const attribute = className === "" ? "" : ` class="${className}"`;
  return `<div class="scroll"><table${attribute}><thead><tr>${head}</tr></thead>\n<tbody>${
    lines.join("\n")
  }</tbody></table></div>`;
}

/** A figure and how to read it. */
export function figure(svg: string, caption: string): string {
  return `<figure><div class="scroll">${svg}</div>\n<figcaption>${
    escapeHtml(caption)
  }</figcaption></figure>`;
}

/** A list of names and values. */
export function definitions(pairs: readonly (readonly [string, string])[]): string {
  if (pairs.length === 0) return "";
  const entries = pairs.map(([name, value]) =>
    `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`
  );
  return `<dl>${entries.join("\n")}</dl>`;
}

/** The page around the sections; needs nothing from anywhere. */
export function page(title: string, body: string): string {
  const heading = escapeHtml(title);
  const main = `<main>\n<h1>${heading}</h1>\n${body}\n</main>`;
  return htmlPage(heading, `<style>${STYLE}</style>`, main);
}

const STYLE = `
:root{--ground:#f4f5f7;--card:#fff;--text:#1c1f24;--dim:#5a6270;--line:#dfe2e6;--good:#1b6e3c;
--bad:#a4300f;--warn:#fff4e0;--warn-line:#d98e04}
@media screen and (prefers-color-scheme:dark){:root{--ground:#0e1013;--card:#16181d;--text:#e4e6ea;
--dim:#a0a7b4;--line:#31353d;--good:#5ecb8b;--bad:#f08a66;--warn:#2c230f;--warn-line:#d98e04}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:800px;margin:0 auto;padding:20px 16px 48px}
h1{font-size:1.6rem;line-height:1.25;margin:8px 0 16px;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:0 0 10px}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:16px 18px;
margin:0 0 16px}
p{margin:0 0 10px}p:last-child{margin-bottom:0}
.verdict{font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}
.warnings{background:var(--warn);border-left:4px solid var(--warn-line);padding:10px 14px;
margin:0 0 16px}
.warnings ul{margin:0;padding-left:18px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:0}
dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:0 0 12px}.scroll:last-child{margin-bottom:0}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:5px 8px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;white-space:normal}th:first-child{text-align:left;min-width:6.5em}
tbody th{font-weight:400}.policy-first tbody tr:first-child>*{font-weight:600}
.ends-in-words :is(th,td):last-child{text-align:left;white-space:normal}
.ends-in-words tbody th{white-space:nowrap}
figure{margin:0 0 18px}figure:last-child{margin-bottom:0}
figure svg{display:block;max-width:100%;min-width:520px;height:auto}
figure svg svg{min-width:0;max-width:none}
figcaption{color:var(--dim);font-size:.875rem;margin-top:4px}
@media (max-width:480px){dl{grid-template-columns:1fr}dt{margin-top:6px}section{padding:14px 12px}}
@media print{body{background:#fff;font-size:11pt}section{border:0;padding:0;break-inside:auto}
figure,table,tr,.warnings{break-inside:avoid}h2{break-after:avoid}.scroll{overflow:visible}
figure svg{min-width:0}}
`;
