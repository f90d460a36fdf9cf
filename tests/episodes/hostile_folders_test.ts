import assert from "node:assert/strict";
import { preprocess } from "../../lib/episodes/mod.ts";
import { cleanTimes } from "../../lib/episodes/clean_times.ts";
import { recordPhantom } from "../../lib/phantom/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

async function recording(layout: "needle" | "new-dataset2" = "needle", seed = 40) {
  const output = temporaryFolder();
  const [written] = await Array.fromAsync(
    recordPhantom({ output, layouts: [layout], raster: 40, seed, seconds: 1.2 }),
  );
  return { output, path: written!.path };
}

Deno.test("pipes, links that lead nowhere and links in circles disturb nothing", async () => {
  const { output, path } = await recording();
  Deno.symlinkSync("/nowhere", `${output}/x.csv`);
  Deno.symlinkSync(output, `${output}/loop`);
  Deno.symlinkSync("/nowhere", `${path}/latest`);
  Deno.symlinkSync("/nowhere", `${path}/View1/xx`);
  Deno.symlinkSync("/nowhere", `${path}/View5/oak_19_1761820000.150.jpg`);
  const { success } = await new Deno.Command("mkfifo", { args: [`${output}/y.csv`] }).output();
  assert(success);
  const outcomes = await preprocess([output, `${output}/`]);
  assert.equal(outcomes.length, 1);
  const { ok, report } = outcomes[0]!;
  assert(ok);
  assert.equal(Object.keys(report!.views).length, 5);
  assert(
    report!.findings.some(({ code, message }) =>
      code === "image.damaged" && message.includes("nowhere")
    ),
  );
});

Deno.test("two folders of one camera are refused with both names", async () => {
  const { output, path } = await recording();
  Deno.mkdirSync(`${path}/view5_oak`);
  Deno.copyFileSync(
    `${path}/View5/${[...Deno.readDirSync(`${path}/View5`)][0]!.name}`,
    `${path}/view5_oak/oak_1_1761820001.000.jpg`,
  );
  const [outcome] = await preprocess([output]);
  assert.match(outcome!.error!, /View5 .*view5_oak|view5_oak.*View5/);
});

Deno.test("an image named after another day is left out and told", async () => {
  const { output, path } = await recording();
  const [image] = [...Deno.readDirSync(`${path}/View5`)];
  Deno.copyFileSync(`${path}/View5/${image!.name}`, `${path}/View5/thumbnail_1.jpg`);
  const [outcome] = await preprocess([output]);
  const { findings, views } = outcome!.report!;
  assert(findings.some(({ code }) => code === "image.stray-time"));
  assert(views.View5!.start! > 1e9);
});

Deno.test("a pickle is never written over another recording's, or beside a recording's files", async () => {
  const { path } = await recording();
  const root = temporaryFolder();
  for (const part of ["a", "b"]) {
    Deno.mkdirSync(`${root}/${part}/T`, { recursive: true });
    await new Deno.Command("cp", { args: ["-r", path, `${root}/${part}/T/recv_all_x`] }).output();
  }
  const output = `${root}/out`;
  const both = await preprocess([`${root}/a`, `${root}/b`], { output, format: "data-pkl" });
  assert.deepEqual(both.map(({ ok }) => ok), [true, true]);
  assert.notEqual(both[0]!.output, both[1]!.output);

  const one = `${root}/one`;
  const [first] = await preprocess([`${root}/a`], { output: one, format: "data-pkl" });
  const [second] = await preprocess([`${root}/b`], { output: one, format: "data-pkl" });
  const [again] = await preprocess([`${root}/a`], { output: one, format: "data-pkl" });
  assert.deepEqual([first!.ok, second!.ok, again!.ok], [true, false, true]);
  assert.match(second!.error!, /another recording/);

  const beside = `${root}/a/T/recv_all_x/data.pkl`;
  Deno.writeTextFileSync(beside, "mine");
  const [inside] = await preprocess([`${root}/a`], { output: `${root}/a/T`, format: "data-pkl" });
  assert.equal(inside!.ok, false);
  assert.equal(Deno.readTextFileSync(beside), "mine");
});

Deno.test("one wrong stamp costs one row", () => {
  for (const wrong of [1e6, -1e6, 5]) {
    const time = Float64Array.from({ length: 500 }, (_, k) => 100 + k / 100);
    time[300]! += wrong;
    const { rows, withoutTime, rejectedByClock } = cleanTimes(time);
    assert.deepEqual([rows!.length, withoutTime, rejectedByClock], [499, 1, 0]);
  }
});

Deno.test("a log with every stamp twice gives finite figures under compat too", async () => {
  const { output, path } = await recording("new-dataset2");
  const name = [...Deno.readDirSync(path)].find(({ name }) => name.endsWith(".csv"))!.name;
  const [header, ...rows] = Deno.readTextFileSync(`${path}/${name}`).trimEnd().split("\r\n");
  const twice = [header, ...rows.flatMap((row) => [row, row])].join("\n");
  Deno.writeTextFileSync(`${path}/${name}`, twice); // without a last line end
  const [outcome] = await preprocess([output], { compat: true });
  const { robot } = outcome!.report!;
  assert.deepEqual([robot.recorded, robot.duplicates], [2 * rows.length, rows.length]);
  assert(robot.hz > 90 && robot.hz < 110, String(robot.hz));
});
