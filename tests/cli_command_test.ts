import assert from "node:assert/strict";

import { HELP_LAYOUT } from "../lib/cli/_help.ts";
import { temporaryFolder } from "./_temporary.ts";

const DEMO = new URL("./_cli_demo.ts", import.meta.url).pathname;

function start(args: string[]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", DEMO, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(...args: string[]) {
  const { code, stdout, stderr } = await start(args).output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

Deno.test("--help explains every flag with its default and ends with 0", async () => {
  const { code, stdout } = await run("--help");
  assert.equal(code, 0);
  const plain = stdout.replace(/\s+/g, " ");
  assert.match(plain, /deno task demo .*\[PATH\.\.\.\].*Shows its flags\./);
  assert.match(plain, /--batch-size <N> samples per step \(default: 4\)/);
  assert.match(
    plain,
    /--learning-rate <N> step size \(default: none, also --lr, also --step-size\)/,
  );
  assert.match(plain, /--engine <auto\|tensorflow\|webgpu\|wasm> .*\(default: auto\)/);
  for (const name of ["--json", "--quiet", "--verbose", "--fast"]) {
    assert.match(plain, new RegExp(`${name} .*?\\(default: off\\)`));
  }
  assert.match(plain, /A note at the end\./);
});

Deno.test("another name of a flag is the flag, in every spelling", async () => {
  for (const words of [["--lr", "0.5"], ["--step-size=0.5"], ["--step_size", "0.5"]]) {
    const { stdout } = await run(...words, "--json");
    assert.equal(JSON.parse(stdout).flags.learningRate, 0.5, words.join(" "));
  }
  const { code, stderr } = await run("--lr", "--fast");
  assert.equal(code, 2);
  assert.match(stderr, /--learning-rate needs a value/);
});

Deno.test("--help fits into 100 columns, and a long list of choices does not widen it", async () => {
  const { stdout } = await run("--help");
  const lines = stdout.split("\n");
  assert.ok(lines.every((line) => line.length <= 100), stdout);
  const column = (flag: string, summary: string) =>
    lines.find((line) => line.includes(flag))!.indexOf(summary);
  assert.equal(column("--batch-size", "samples"), column("--fast", "less"));
  const engine = lines.findIndex((line) => /^ {2}--engine <auto\|.*wasm>$/.test(line));
  assert.equal(lines[engine + 1]!.search(/\S/), column("--fast", "less"));
  const words = lines.findIndex((line) => line.startsWith("  word01"));
  assert.match(lines[words + 1]!, /^ {10}\S/); // hangs below the table's second column
});

Deno.test("a list of choices longer than a line is broken after bars", () => {
  const choices = Array.from({ length: 30 }, (_, k) => `choice-${k}`).join("|");
  const term = `--of <${choices}>`;
  const helper = { helpWidth: 100 } as Parameters<typeof HELP_LAYOUT.formatItem>[3];
  const lines = HELP_LAYOUT.formatItem(term, 30, "which of them", helper).split("\n");
  assert.ok(lines.length > 4 && lines.every((line) => line.length <= 100), lines.join("\n"));
  const [text, ...terms] = lines.reverse();
  assert.equal(text!.trim(), "which of them");
  assert.equal(terms.reverse().map((line) => line.trim()).join(""), term);
});

Deno.test("--json prints one document and nothing else on standard output", async () => {
  const { code, stdout, stderr } = await run(
    ...["--json", "--batch_size", "8", "--learning-rate=1e-4", "a", "b", "--data", "p", "q"],
  );
  assert.equal(code, 0);
  const { flags, arguments: rest } = JSON.parse(stdout);
  assert.equal(flags.batchSize, 8);
  assert.equal(flags.learningRate, 1e-4);
  assert.deepEqual(flags.data, ["p", "q"]);
  assert.equal(flags.precision, "f32");
  assert.equal(flags.seed, 0);
  assert.deepEqual(rest, ["a", "b"]);
  for (const text of ["a library chats", "a remark", "a result", "warning: a warning"]) {
    assert.ok(stderr.includes(text), text);
  }
});

Deno.test("--quiet leaves results, warnings and the document", async () => {
  const { stdout, stderr } = await run("--quiet", "--json");
  assert.ok(JSON.parse(stdout));
  assert.ok(!stderr.includes("a remark") && !stderr.includes("half way"));
  assert.ok(stderr.includes("a warning"));
  assert.ok((await run("--quiet")).stdout.includes("a result"));
});

Deno.test("snake_case, =value and a leading -- are all accepted", async () => {
  const { stdout } = await run("--", "--learning_rate=.5", "--fast", "--json", "--seed=7");
  const { flags } = JSON.parse(stdout);
  assert.deepEqual([flags.learningRate, flags.fast, flags.seed], [0.5, true, 7]);
});

const WRONG: [args: string[], message: RegExp][] = [
  [["--batch-sise", "3"], /Unknown flag --batch-sise; did you mean --batch-size\?/],
  [["--batch_sise=3"], /Unknown flag --batch_sise; did you mean --batch-size\?/],
  [["--jsom"], /Unknown flag --jsom; did you mean --json\?/],
  [["--completely-different"], /Unknown flag --completely-different\n/],
  [["--batch-size", "65"], /--batch-size: .* from 1 to 64, current value is "65"/],
  [["--batch-size", "2.5"], /--batch-size: it should be a whole number/],
  [["--batch-size", "NaN"], /--batch-size: .*current value is "NaN"/],
  [["--learning-rate", "Infinity"], /--learning-rate: it should be a number of at least 0/],
  [["--learning-rate", "0x10"], /--learning-rate/],
  [["--learning-rate="], /--learning-rate/],
  [["--learning-rate", "-1"], /--learning-rate: .* of at least 0, current value is "-1"/],
  [["--learning-rate"], /Flag --learning-rate needs a value/],
  [["--seed", "-1"], /--seed: it should be a whole number from 0 to 4294967295/],
  [
    ["--engine", "tensorflo"],
    /--engine: .*current value is "tensorflo"\. Did you mean "tensorflow"/,
  ],
  [["--fast=yes"], /Flag --fast takes no value/],
];
for (const [args, message] of WRONG) {
  Deno.test(`wrong usage ends with 2 and names the flag: ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await run(...args, "--json");
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.match(stderr, /deno task demo --help/);
  });
}

Deno.test("an error is one message and exit code 1, its stack only with --verbose", async () => {
  const { code, stdout, stderr } = await run("--mode", "fail", "--json");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /error: Cannot go on: x, current value is 1\.\n$/);
  assert.ok(!stderr.includes("    at "));
  assert.match(
    (await run("--mode", "fail", "--verbose")).stderr,
    /TypeError: Cannot go on.*\n +at /,
  );
});

Deno.test("a check that found something prints its document and ends with 1", async () => {
  const { code, stdout } = await run("--mode", "found", "--json");
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stdout), { ok: false });
});

for (const mode of ["sleep", "save"]) {
  Deno.test(`Ctrl-C ends with 130 (${mode})`, async () => {
    const child = start(["--mode", mode, "--json"]).spawn();
    let stderr = "";
    let sent = false;
    for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += piece;
      if (!sent && stderr.includes("ready")) {
        sent = true;
        child.kill("SIGINT");
      }
    }
    assert.equal((await child.status).code, 130);
    assert.equal(stderr.includes("saved"), mode === "save");
    await child.stdout.cancel();
  });
}

Deno.test("paths are meant from where deno task was called", async () => {
  const project = decodeURIComponent(new URL("..", import.meta.url).pathname);
  const from = Deno.realPathSync(temporaryFolder());
  const command = (cwd: string) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", DEMO, "--mode", "where", "--json"],
      ...{ cwd, env: { NO_COLOR: "1", INIT_CWD: from }, stdin: "null" as const },
    }).output();
  const where = async (cwd: string) =>
    JSON.parse(new TextDecoder().decode((await command(cwd)).stdout));
  assert.equal(await where(project), from);
  const elsewhere = Deno.realPathSync(temporaryFolder());
  assert.equal(await where(elsewhere), elsewhere); // not called by deno task
});
