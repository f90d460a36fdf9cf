import assert from "node:assert/strict";
import { type LiveSession, simulateSchedule } from "../../lib/control/mod.ts";
import { reviewSession, sessionChunks, simulateSession } from "../../lib/evaluation/mod.ts";

const limits = { speedMm: 5, turnDeg: 6, accelerationMm: 40, force: 9, featureAgeMs: 1000 };
const schedule = simulateSchedule({ visionMs: [381], actionMs: [15], seconds: 8 });
const session = simulateSession({ schedule, limits, ackMs: [4, 5, NaN] });

/** A robot that does what it was told `delay` seconds later. */
function followed(delay: number): LiveSession {
  const sent = Array.from(
    { length: 20 },
    (_, k) => Float64Array.of(0.1 * Math.sin(k), 0.05, -0.2 * Math.cos(k / 3), 0, 0, 0),
  );
  const time = Float64Array.from({ length: 241 }, (_, i) => i / 100);
  const pose = new Float64Array(6 * time.length);
  for (let row = 1; row < time.length; row++) {
    const period = Math.floor((time[row - 1]! - delay) / 0.1 + 1e-6);
    for (let d = 0; d < 3; d++) {
      pose[6 * row + d] = pose[6 * row - 6 + d]! + (sent[period]?.[d] ?? 0) / 10;
    }
  }
  const none = { requested: null, limits: [], hold: null, featureAgeMs: NaN, ackMs: null };
  return {
    ...{ isSimulated: true, periodSeconds: 0.1, chunks: [], events: [], limits },
    ticks: sent.map((sent, number) => ({ ...none, number, time: number / 10, sent })),
    robot: { time, pose },
    force: { time: new Float64Array(0), values: new Float64Array(0) },
  };
}

Deno.test("the delay of a robot is found, and with it nothing is left of the error", () => {
  for (const delay of [0, 0.03, 0.12]) {
    const { motion, paths, ack, unanswered } = reviewSession(followed(delay));
    assert.equal(motion.delayMs, Math.round(1000 * delay));
    assert(motion.delayedErrorMm < 1e-9);
    assert(delay === 0 ? motion.errorMm < 1e-9 : motion.errorMm > 0.01);
    if (delay === 0) assert(Math.abs(paths.executed - paths.sent) < 1e-9);
    assert.equal(ack, null);
    assert.equal(unanswered.length, 20);
  }
});

Deno.test("a session inserts the needle within its limits, and is the same twice", () => {
  const review = reviewSession(session);
  for (const { sent } of session.ticks) assert(Math.hypot(...sent.subarray(0, 3)) <= 0.5 + 1e-9);
  assert(review.limited.some(({ reason, ticks }) => reason === "speed" && ticks > 10));
  assert.deepEqual(review.holds, [
    { reason: "no features", start: 0, seconds: 0.4 },
    { reason: "no plan", start: 0.4, seconds: 0.1 },
  ]);
  assert(Math.abs(review.paths.sent - review.paths.executed) < 0.5);
  assert(review.paths.summed > 6 * review.paths.executed);
  const short = { schedule: { ...schedule, ticks: schedule.ticks.slice(0, 12) }, limits };
  const [once, twice] = [1, 2].map(() => simulateSession({ ...short, ackMs: [4, 5, NaN] }));
  assert.deepEqual(once, twice);
  assert.deepEqual(once!.ticks, session.ticks.slice(0, 12));
});

Deno.test("answers are summarised, and those that are missing are named", () => {
  const { ack, unanswered } = reviewSession(session);
  assert.deepEqual([ack!.count, ack!.max], [54, 5]);
  assert.deepEqual(unanswered.slice(0, 3), [2, 5, 8]);
});

Deno.test("a slow look holds the robot while its features are too old", () => {
  const visionMs = Array.from({ length: 40 }, (_, look) => look === 4 ? 1200 : 381);
  const slow = simulateSchedule({ visionMs, actionMs: [15], seconds: 5 });
  const { ticks } = simulateSession({ schedule: slow, limits, ackMs: [4] });
  const held = ticks.filter(({ hold }) => hold === "old features");
  assert(held.length > 2);
  assert(held.every(({ featureAgeMs }) => featureAgeMs > 1000));
  assert(ticks.every(({ hold, featureAgeMs }) => hold !== null || featureAgeMs <= 1000));
  assert(held.every(({ sent }) => sent.every((value) => value === 0)));
});

Deno.test("too much force and the operator stop a session for good; the robot comes to rest", () => {
  const byForce = simulateSession({ schedule, limits: { ...limits, force: 2.6 }, ackMs: [4] });
  assert.deepEqual(byForce.events.map(({ kind }) => kind), ["force"]);
  const byOperator = simulateSession({
    ...{ schedule: { ...schedule, ticks: schedule.ticks.slice(0, 35) }, limits, ackMs: [4] },
    stopAt: 2,
  });
  assert.deepEqual(byOperator.events.map(({ kind, time }) => [kind, time]), [["operator", 2]]);
  for (const { ticks, events, robot } of [byForce, byOperator]) {
    const after = ticks.filter(({ time }) => time >= events[0]!.time);
    assert(after.every(({ hold, sent }) => hold === "stopped" && sent.every((v) => v === 0)));
    const rest = robot.pose.subarray(-6), before = robot.pose.subarray(-306, -300); // 0.5 s
    assert(Math.hypot(...[0, 1, 2].map((d) => rest[d]! - before[d]!)) < 0.2);
  }
});

Deno.test("the force's envelope holds every row of its period", () => {
  const { force } = reviewSession(session);
  session.force.values.forEach((value, row) => {
    const at = session.force.time[row]!;
    const period = force.time.findIndex((middle) => Math.abs(at - middle) < 0.05 - 1e-6);
    if (period >= 0) assert(force.least[period]! <= value && value <= force.most[period]!);
  });
  assert.equal(force.time.length, session.ticks.length);
});

Deno.test("chunks are laid over what was done at their own times", () => {
  const { starts, horizon, planned, executed } = sessionChunks(session, { from: 2, to: 3 });
  assert.deepEqual(starts, [2, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9]);
  assert.equal(horizon, 8);
  // What the first chunk says of its second period is what the second says of its first, nearly.
  for (let d = 0; d < 3; d++) {
    assert(Math.abs(planned[3 + d]! - planned[24 + d]!) < 0.3);
    assert.equal(executed[3 + d], executed[24 + d]);
  }
  const last = sessionChunks(session, { from: 7.8 });
  assert(Number.isNaN(last.executed.at(-1)!), "beyond the log");
});

Deno.test("a session without commands is refused", () => {
  assert.throws(() => reviewSession({ ...session, ticks: [] }), RangeError);
  const nothing = { ...schedule, ticks: [] };
  assert.throws(() => simulateSession({ schedule: nothing, limits, ackMs: [4] }), RangeError);
});

Deno.test("a session needs limits above 0, every one of them", () => {
  for (const name of Object.keys(limits)) {
    for (const value of [NaN, -1, 0]) {
      assert.throws(
        () => simulateSession({ schedule, limits: { ...limits, [name]: value }, ackMs: [4] }),
        { name: "RangeError", message: new RegExp(`${name} must be above 0`) },
      );
    }
  }
});
