import assert from "node:assert/strict";
import {
  colour,
  formatDuration,
  formatProgress,
  formatTable,
  nearest,
  ProgressLine,
} from "../lib/cli/mod.ts";

class FakeTerminal {
  text = "";
  readonly #live: boolean;
  constructor(live: boolean) {
    this.#live = live;
  }
  writeSync(bytes: Uint8Array): number {
    this.text += new TextDecoder().decode(bytes);
    return bytes.length;
  }
  isTerminal(): boolean {
    return this.#live;
  }
}

Deno.test("nearest finds what was meant, and nothing where nothing is near", () => {
  const names = ["batch-size", "learning-rate", "engine", "seed"];
  assert.equal(nearest("batch_sise", names), "batch-size");
  assert.equal(nearest("lerning-rate", names), "learning-rate");
  assert.equal(nearest("Engine", names), "engine");
  assert.equal(nearest("output", names), undefined);
  assert.equal(nearest("x", []), undefined);
});

Deno.test("formatTable aligns numbers to the right and text to the left", () => {
  const text = formatTable([["name", "MB"], ["cc", 788], ["framework", 65]]);
  assert.equal(text, "name        MB\ncc         788\nframework   65");
  assert.equal(formatTable([]), "");
});

Deno.test("formatProgress says percentage, megabytes and rate", () => {
  const text = formatProgress("download x", { done: 115e6, total: 274e6, rate: 12.34e6 });
  assert.equal(text, "download x 41 % (115 of 274 MB, 12.3 MB/s)");
  assert.equal(formatProgress("y", { done: 0, total: 0, rate: 0 }), "y 0 % (0.0 of 0.0 MB)");
});

Deno.test("formatDuration says two units at most, and never sixty of the smaller", () => {
  const cases: [number, string][] = [
    [0, "0 ms"],
    [0.0404, "40 ms"],
    [0.9996, "1 s"],
    [59.4, "59 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [3569, "59 min 29 s"],
    [3599, "1 h"],
    [7500, "2 h 5 min"],
    [360_000, "100 h"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatDuration(seconds), text);
});

Deno.test("a progress line rewrites itself on a terminal, within its width", () => {
  const stream = new FakeTerminal(true);
  {
    using line = new ProgressLine({ stream, columns: 10 });
    line.update("0123456789abc");
    line.done("end");
  }
  assert.equal(stream.text, "\r\x1b[2K012345678\r\x1b[2Kend\n");
});

Deno.test("elsewhere a progress line is a plain line every few seconds", () => {
  const stream = new FakeTerminal(false);
  const line = new ProgressLine({ stream, interval: 1000 });
  for (let i = 0; i < 100; i++) line.update(`step ${i}`);
  line.done();
  line.done();
  assert.equal(stream.text, "step 0\nstep 99\n");
});

Deno.test("a quiet progress line says nothing", () => {
  for (const live of [true, false]) {
    const stream = new FakeTerminal(live);
    using line = new ProgressLine({ stream, quiet: true });
    line.update("x");
    line.done("y");
    assert.equal(stream.text, "");
  }
});

Deno.test("colours appear on a terminal only, and not under NO_COLOR", () => {
  assert.equal(colour("red", "x", new FakeTerminal(false)), "x");
  const onTerminal = colour("red", "x", new FakeTerminal(true));
  const plain = Deno.env.get("NO_COLOR") || Deno.env.get("TERM") === "dumb";
  assert.equal(onTerminal, plain ? "x" : "\x1b[31mx\x1b[0m");
});
