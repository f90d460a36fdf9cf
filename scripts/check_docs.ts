/**
 * `deno task doc`: `deno doc --lint` on the public API. tfjs, which it re-exports, and the
 * types of tfjs in our signatures are no findings: they are documented where they come from.
 *
 * @module
 */
const TFJS = /references private type '(DataType|Scalar|Tensor|Tensor1D)'/;

if (import.meta.main) {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", "mod.ts", "lib/engine/mod.ts", "lib/cli/mod.ts"],
    cwd: new URL("..", import.meta.url),
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  const findings = new TextDecoder().decode(stderr).split(/\n(?=error)/)
    .filter((finding) => finding.startsWith("error["))
    .filter((finding) => !finding.includes("/node_modules/") && !TFJS.test(finding));
  for (const finding of findings) console.error(finding.trim(), "\n");
  console.log(`${findings.length} findings in the documentation of the public API`);
  Deno.exit(findings.length === 0 ? 0 : 1);
}
