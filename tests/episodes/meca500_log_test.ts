import assert from "node:assert/strict";
import { openEpisode, preprocess, summarizeEpisode } from "../../lib/episodes/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const log = new URL("../../data-fixtures/meca500/joint_log_100hz.csv", import.meta.url).pathname;

Deno.test("a real joint log of the Meca500 gives its own rate and its one gap", async () => {
  const output = temporaryFolder();
  const [outcome] = await preprocess([log], { output });
  const summary = summarizeEpisode(outcome!);
  assert.deepEqual(
    [
      summary.ok,
      summary.layout,
      summary.rows,
      Math.round(summary.robotHz * 1e6) / 1e6,
      summary.gaps,
      summary.sensor,
    ],
    [true, "meca500-log", 4401, 100, 1, null],
  );
  const [gap] = outcome!.report!.robot.gaps;
  assert.deepEqual([gap!.row, gap!.lost], [4396, 2]); // 27 ms instead of 10
  assert(Math.abs(gap!.seconds - 0.027) < 1e-9);
  assert.deepEqual([summary.actions, summary.segments, summary.duplicates], [440, 1, 0]);
  const messages = summary.ok ? outcome!.report!.findings.map(({ message }) => message) : [];
  assert(messages.some((message) => message.includes("joint angles only")));
  assert(messages.some((message) => message.includes("no images and no sensor")));

  using episode = openEpisode(summary.output!);
  // All joints 0: the flange is at (190, 0, 308), turned by 90° about y (Mecademic's manual).
  const pose = Array.from(episode.robotState.subarray(6, 12), Math.round);
  assert.deepEqual(pose.slice(0, 3), [190, 0, 308]);
  assert.equal(pose[4], 90);
});
