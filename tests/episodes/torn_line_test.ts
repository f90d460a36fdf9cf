import assert from "node:assert/strict";
import { endsInTornLine } from "../../lib/episodes/layouts/_torn_line.ts";
import { temporaryPath } from "../_temporary.ts";

function isTorn(text: string): boolean {
  const path = temporaryPath("robot.csv");
  Deno.writeTextFileSync(path, text);
  return endsInTornLine(path);
}

/** r creeps by 0.01 per row. */
const rows = Array.from(
  { length: 40 },
  (_, i) => `${i / 100},5.5,${(144.2843 + i / 100).toFixed(4)}`,
);

Deno.test("a log that was cut inside a row is torn", () => {
  const whole = ["t,x,r", ...rows].join("\r\n");
  for (const text of [whole.slice(0, -9), whole.slice(0, -7), whole.slice(0, -6)]) {
    assert(isTorn(text), text.slice(-20)); // …,5.5 or …,5.5, or …,1
  }
});

Deno.test("a last line that is complete, or nearly the same number, is not", () => {
  const whole = ["t,x,r", ...rows].join("\n");
  assert(!isTorn(whole));
  assert(!isTorn(`${whole}\n`));
  assert(!isTorn(whole.slice(0, -2))); // 144.67 for 144.6743 harms nobody
  assert(!isTorn("t,r\n"));
  assert(!isTorn(""));
  assert(!isTorn(["t,r", "0,0", "1,0", "2,0", "3,5"].join("\n"))); // whole numbers stay whole
});
