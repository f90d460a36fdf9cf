import assert from "node:assert/strict";
import fc from "fast-check";
import { blendChunks, limitAction } from "../../lib/control/mod.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const number = fc.double({ min: -3, max: 3, noNaN: true });
const action = fc.array(number, { minLength: 6, maxLength: 6 });
const limits = { speedMm: 5, turnDeg: 10 };
const length = (values: ArrayLike<number>) => Math.hypot(values[0]!, values[1]!, values[2]!);

Deno.test("no action leaves its limits, and one within them is not changed", () => {
  fc.assert(fc.property(action, (asked) => {
    const { action: sent, reasons } = limitAction(asked, limits);
    assert(length(sent) <= 0.5 + 1e-9);
    const turn = Math.abs(sent[3]!) + Math.abs(sent[4]!) + Math.abs(sent[5]!);
    assert(turn <= 1 + 1e-9);
    if (reasons.length === 0) assert.deepEqual([...sent], asked);
    else assert.notDeepEqual([...sent], asked);
  }));
});

Deno.test("a limited motion keeps its direction", () => {
  fc.assert(fc.property(action, (asked) => {
    const { action: sent } = limitAction(asked, limits);
    const product = sent[0]! * asked[0]! + sent[1]! * asked[1]! + sent[2]! * asked[2]!;
    assert(Math.abs(product - length(sent) * length(asked)) < 1e-9);
  }));
});

Deno.test("with a limit of acceleration speed and its change stay within theirs", () => {
  fc.assert(fc.property(fc.array(action, { minLength: 2, maxLength: 8 }), (asked) => {
    let before: ArrayLike<number> = [0, 0, 0];
    for (const each of asked) {
      const { action: sent } = limitAction(each, { ...limits, accelerationMm: 20 }, { before });
      assert(length(sent) <= 0.5 + 1e-9);
      const change = [0, 1, 2].map((d) => sent[d]! - before[d]!);
      assert(length(change) <= 0.2 + 1e-9);
      before = sent;
    }
  }));
});

Deno.test("a robot that is too fast is slowed to its limit at once", () => {
  const given = { ...limits, accelerationMm: 20 };
  const { action: sent, reasons } = limitAction([0.4, 0, 0, 0, 0, 0], given, {
    before: [3, 0, 0],
  });
  assert(Math.abs(length(sent) - 0.5) < 1e-9, String(length(sent)));
  assert.deepEqual(reasons, ["acceleration", "speed"]);
  assert.deepEqual(
    limitAction([4, 0, 0, 0, 0, 0], given, { before: [0, 3, 0] }).reasons,
    ["speed", "acceleration"],
  );
  fc.assert(fc.property(action, action, (asked, before) => {
    assert(length(limitAction(asked, given, { before }).action) <= 0.5 + 1e-9);
  }));
});

Deno.test("the reasons name the limits that changed an action", () => {
  const reasons = (asked: number[]) => {
    const given = { ...limits, accelerationMm: 40 };
    return limitAction(asked, given, { before: [0.3, 0, 0] }).reasons;
  };
  assert.deepEqual(reasons([0.4, 0, 0, 0, 0, 0]), []);
  assert.deepEqual(reasons([0.6, 0, 0, 0, 0, 0]), ["speed"]);
  assert.deepEqual(reasons([0.4, 0, 0, 2, 0, 0]), ["turn"]);
  assert.deepEqual(reasons([-0.4, 0, 0, 0, 0, 0]), ["acceleration"]);
  assert.deepEqual(reasons([-0.8, 0, 0, -9, 0, 0]), ["speed", "turn", "acceleration"]);
});

Deno.test("what is not finite is no command, and limits must be positive", () => {
  assert.throws(() => limitAction([0, NaN, 0, 0, 0, 0], limits), /value 1 of the action/);
  assert.throws(() => limitAction([0, 0, 0], limits), /value 3 of the action/);
  assert.throws(() => limitAction([0, 0, 0, 0, 0, 0], { ...limits, speedMm: 0 }), /speedMm/);
  assert.throws(
    () => limitAction([0, 0, 0, 0, 0, 0], limits, { before: [Infinity, 0, 0] }),
    /value 0 of the action before/,
  );
});

Deno.test("chunks that agree blend to what they agree on, wherever they began", () => {
  const motion = (time: number) => Math.sin(3 * time);
  const chunks = Array.from({ length: 12 }, (_, k) => ({
    start: k / 10,
    actions: Array.from({ length: 8 }, (_, i) => motion((k + i) / 10)),
  }));
  for (let k = 0; k < 19; k++) {
    const [value] = blendChunks(chunks, k / 10, { actionDim: 1 })!;
    assert(Math.abs(value! - motion(k / 10)) < 1e-12, String(k));
  }
  assert.equal(blendChunks(chunks, 1.9, { actionDim: 1 }), null);
  assert.equal(blendChunks(chunks, -0.01, { actionDim: 1 }), null);
});

Deno.test("newer chunks weigh more, by the decay of each period", () => {
  const chunks = [{ start: 0, actions: [0, 0, 0] }, { start: 0.2, actions: [1, 1, 1] }];
  const [value] = blendChunks(chunks, 0.2, { actionDim: 1, decay: 0.5 })!;
  assert(Math.abs(value! - 1 / (1 + Math.exp(-1))) < 1e-12);
  assert.throws(() => blendChunks(chunks, 0, { actionDim: 2 }), /2 values per action/);
});
