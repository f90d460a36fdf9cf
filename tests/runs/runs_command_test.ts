import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "../programs/_command.ts";
import { makeRun, makeRuns } from "./_runs.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("runs prints a table, best first, one JSON document, and a page", async () => {
  const runs = makeRuns(), html = join(runs, "page.html");
  const text = await run("runs.ts", ["--runs", runs, "--sort", "ratio"]);
  assert.deepEqual([text.code, text.stderr], [0, ""]);
  const lines = text.stdout.trim().split("\n");
  assert.match(lines[0]!, /^name +program +policy +preset +seed .*of baseline +success/);
  assert.deepEqual(lines.slice(1).map((line) => line[0]), ["b", "a", "c"]);
  assert.match(lines[1]!, /regression gated .* 4\/4 .* 0\.2500 +50 % +1 min 15 s/);
  const json = await run("runs.ts", [runs, "--json", "--html", html]);
  const document = JSON.parse(json.stdout);
  assert.deepEqual(document.runs.map(({ state }: { state: string }) => state), [
    ...["finished", "finished", "unfinished"],
  ]);
  assert.match(Deno.readTextFileSync(html), /<h1>3 runs<\/h1>/);
});

Deno.test("runs --compare shows what differs; one name, an unknown column, a lost folder are refused", async () => {
  const runs = makeRuns();
  const { code, stdout } = await run("runs.ts", ["--runs", runs, "--compare", "a-", "b-"]);
  assert.equal(code, 0);
  assert.match(stdout, /^policy\.fusion +concat +gated$/m);
  assert(!stdout.includes("training.epochs"));
  const json = await run("runs.ts", ["--runs", runs, "--compare", "a-", "b-", "--json"]);
  assert.deepEqual(JSON.parse(json.stdout).differences[1], {
    setting: "training.seed",
    values: [1, 2],
  });
  const wrong: [string[], number, RegExp][] = [
    [["--compare", "a-"], 2, /two runs or more/],
    [["--sort", "rsme"], 2, /one of name.*current value is "rsme"/],
    [[join(runs, "gone")], 1, /no such folder/],
    [["--compare", "finished", "b-"], 1, /2 runs of 3/],
  ];
  for (const [args, expected, message] of wrong) {
    const said = await run("runs.ts", ["--runs", runs, ...args]);
    assert.equal(said.code, expected, args.join(" "));
    assert.match(said.stderr, message);
    assert.equal(said.stdout, "");
  }
});

Deno.test("runs warns of what is damaged, and shows no terminal codes of files", async () => {
  const runs = makeRuns();
  makeRun(join(runs, "d\x1b[31m"), { rmse: 0.1 });
  Deno.writeTextFileSync(join(runs, "a-finished", "config.json"), "{");
  const { code, stdout, stderr } = await run("runs.ts", [runs]);
  assert.equal(code, 0);
  assert.match(stdout, /^a-finished .* damaged /m);
  assert.match(stderr, /warning: a-finished: Cannot read .*config\.json/);
  assert(!stdout.includes("\x1b") && stdout.includes("d\\x1b[31m"));
  const empty = await run("runs.ts", [temporaryFolder(), "--json"]);
  assert.deepEqual(JSON.parse(empty.stdout), { runs: [] });
});
