import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  MetricsLog,
  type MetricsRecord,
  readMetrics,
} from "../../../lib/training/run/metrics_log.ts";
import { varintField } from "../../../lib/training/run/_protobuf.ts";
import { LOG_HEADER, logPieces, readLog } from "../../../lib/training/run/_wandb_log.ts";
import * as records from "../../../lib/training/run/_wandb_records.ts";
import { wandbConfig, wandbProject } from "../../../lib/training/run/wandb_project.ts";
import { WandbRun } from "../../../lib/training/run/wandb_run.ts";
import { pythonHas } from "./_python.ts";
import { temporaryFolder } from "../../_temporary.ts";

/** Made by wandb's own DataStore and protocol buffers. */
const FIXTURE = JSON.parse(
  Deno.readTextFileSync(
    new URL("../../../data-fixtures/training/monitoring.json", import.meta.url),
  ),
);

const OPTIONS = { project: "QwenVLA-Sensor", config: { lr: 1e-4, policy: { fusion: "concat" } } };
const record = (step: number, scale = 1): MetricsRecord => ({
  global_step: step,
  "train/loss_step": scale / step,
  ...(step % 3 === 0 ? { "val/loss_epoch": 0, "val/best_loss": null } : {}),
});

/** What a process does of a training: goes on after a step, and is killed or comes to an end. */
function session(run: string, from: number, to: number, scale = 1, isEnd = false): string {
  using metrics = MetricsLog.open(join(run, "metrics.jsonl"), { upToStep: from });
  using wandb = WandbRun.open(run, OPTIONS);
  for (let step = from + 1; step <= to; step++) {
    metrics.append(record(step, scale));
    wandb.log(record(step, scale));
  }
  if (isEnd) wandb.finish();
  return wandb.path;
}

const steps = (path: string) =>
  [...readLog(Deno.readFileSync(path))].map(({ data }) => records.readRecord(data))
    .flatMap((found) => found.kind === "history" ? [found.step] : []);
const ends = (path: string) =>
  [...readLog(Deno.readFileSync(path))]
    .filter(({ data }) => records.readRecord(data).kind === "exit").length;

Deno.test("a log is byte for byte that of wandb's DataStore, and is read back", () => {
  const { lengths, bytes, sha256 } = FIXTURE.log;
  const hash = createHash("sha256").update(LOG_HEADER);
  const parts: Uint8Array[] = [LOG_HEADER];
  let at = LOG_HEADER.length;
  const contents = lengths.map((length: number, i: number) =>
    Uint8Array.from({ length }, (_, j) => (j * 7 + i) % 251)
  );
  for (const content of contents) {
    const pieces = logPieces(content, at);
    parts.push(pieces);
    hash.update(pieces);
    at += pieces.length;
  }
  assert.deepEqual([at, hash.digest("hex")], [bytes, sha256]);
  const log = new Uint8Array(at);
  parts.reduce((place, part) => (log.set(part, place), place + part.length), 0);
  assert.deepEqual([...readLog(log)].map(({ data }) => data), contents);
  assert.equal([...readLog(log)].at(-1)!.end, bytes);
});

Deno.test("readLog ends before a record that is cut or damaged anywhere, and never hangs", () => {
  let log = Array.from(LOG_HEADER);
  for (const length of [5, 40_000, 9]) {
    log = [...log, ...logPieces(new Uint8Array(length).fill(length), log.length)];
  }
  const bytes = Uint8Array.from(log);
  const whole = [...readLog(bytes)].map(({ end }) => end);
  assert.equal(whole.length, 3);
  for (let cut = 0; cut < bytes.length; cut += cut < 40 || bytes.length - cut < 40 ? 1 : 997) {
    const found = [...readLog(bytes.subarray(0, cut))].map(({ end }) => end);
    assert.deepEqual(found, whole.filter((end) => end <= cut), `cut at ${cut}`);
    const damaged = bytes.slice();
    damaged[cut]! ^= 0xff;
    const kept = cut < LOG_HEADER.length ? [] : whole.filter((end) => end <= cut);
    assert.deepEqual([...readLog(damaged)].map(({ end }) => end), kept, `damaged at ${cut}`);
  }
});

Deno.test("records are byte for byte those of wandb's protocol buffers", () => {
  const values = { global_step: 21, "val/loss_epoch": 0, "val/best_loss": null, x: "NaN" };
  const identity = { id: "5ceb07fa", project: "QwenVLA-Sensor", name: "first run" };
  const contents: Record<string, [number, number[]]> = {
    header: [1, records.headerRecord()],
    run: [
      2,
      records.runRecord({ ...identity, start: 1795265860281 }, {
        lr: 1e-4,
        policy: { fusion: "concat", größe: null },
      }),
    ],
    config: [300, records.configRecord({ lr: 2e-4 })],
    step: [3, records.metricRecord("global_step")],
    metric: [4, records.metricRecord("val/loss_epoch")],
    history: [70000, records.historyRecord(5, values)],
    summary: [5, records.summaryRecord(values)],
    exit: [6, records.exitRecord(130, 12.3)],
  };
  assert.deepEqual(Object.keys(contents).sort(), Object.keys(FIXTURE.wandb).sort());
  for (const [name, [number, content]] of Object.entries(contents)) {
    const bytes = Uint8Array.from([...varintField(1, number), ...content]);
    assert.equal(bytes.toHex(), FIXTURE.wandb[name], name);
  }
});

Deno.test("WandbRun goes on under its id in its file, and no step is there twice", () => {
  const run = temporaryFolder();
  const path = session(run, 0, 8);
  assert.equal(session(run, 5, 9, 2), path); // killed at 8, went on from 5
  assert.deepEqual(steps(path), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  session(run, 9, 10, 2, true);
  assert.equal(ends(path), 1);
  session(run, 10, 12, 2, true); // a longer training of the finished run
  assert.equal(ends(path), 1);
  assert.deepEqual(steps(path), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  session(run, 0, 2); // from the very beginning: killed before the first checkpoint
  assert.deepEqual(steps(path), [1, 2]);
  assert.equal([...readLog(Deno.readFileSync(path))].at(-1)!.end, Deno.statSync(path).size);
  assert.deepEqual([...Deno.readDirSync(join(run, "wandb"))].length, 1);
});

Deno.test("WandbRun repairs a file that was cut or damaged anywhere from metrics.jsonl", () => {
  const run = temporaryFolder();
  const path = session(run, 0, 4);
  const whole = Deno.readFileSync(path);
  for (let cut = 0; cut < whole.length; cut += 13) {
    Deno.writeFileSync(path, whole.subarray(0, cut));
    session(run, 4, 4);
    assert.deepEqual(steps(path), [1, 2, 3, 4], `cut at ${cut}`);
    const damaged = whole.slice();
    damaged[cut]! ^= 1;
    Deno.writeFileSync(path, damaged);
    session(run, 4, 4);
    assert.deepEqual(steps(path), [1, 2, 3, 4], `damaged at ${cut}`);
  }
});

Deno.test("WandbRun that begins in the middle of a run takes the earlier rows from metrics.jsonl", () => {
  const run = temporaryFolder();
  {
    using metrics = MetricsLog.open(join(run, "metrics.jsonl"));
    for (let step = 1; step <= 5; step++) metrics.append(record(step));
  }
  const path = session(run, 3, 4);
  assert.deepEqual(steps(path), [1, 2, 3, 4]);
  const lines = Deno.readTextFileSync(join(run, "metrics.jsonl")).split("\n");
  Deno.writeTextFileSync(join(run, "metrics.jsonl"), lines.toSpliced(1, 1).join("\n"));
  session(run, 9, 9); // somebody removed a line
  assert.deepEqual(steps(path), [1, 3, 4]);
});

Deno.test("WandbRun.open refuses an id that is none, and lets what was uploaded be uploaded anew", () => {
  const run = temporaryFolder();
  const path = session(run, 0, 2);
  Deno.writeTextFileSync(`${path}.synced`, "");
  session(run, 2, 3);
  assert.throws(() => Deno.statSync(`${path}.synced`), Deno.errors.NotFound);
  for (const bad of ["", "{}", '{"id":"../../x"}', '{"id":7}', "null"]) {
    Deno.writeTextFileSync(join(run, "wandb.json"), bad);
    assert.throws(() => WandbRun.open(run, OPTIONS), /wandb\.json.*Remove the file/);
  }
});

Deno.test("wandbConfig has the names of the Python programs beside ours", () => {
  const training = { learningRate: 1e-4, batchSize: 4, effectiveBatch: 64, sensorLossWeight: 2 };
  const policy = {
    family: "diffusion",
    sensorEncoder: { width: 8 },
    actionExpert: { timesteps: 100 },
  };
  const settings = { policy, training, vision: { visionReuse: 3 } };
  assert.deepEqual(wandbConfig({ program: "train:async", settings, notes: { processes: 2 } }), {
    ...{ program: "train:async", lr: 1e-4, grad_accum_steps: 8, sensor_loss_weight: 2 },
    ...{ vlm_reuse_count: 3, diffusion_timesteps: 100, sensor_enabled: true },
    ...settings,
  });
  assert.deepEqual(wandbConfig({ program: "x", settings: {}, notes: {} }), {
    ...{ program: "x", sensor_enabled: true },
  });
  assert.equal(wandbProject("train:diffusion:stage2"), "QwenVLA-Diffusion");
  assert.equal(wandbProject("something"), "trocar");
});

Deno.test("WandbRun of a training that is killed at any moment has the rows of metrics.jsonl", async () => {
  const run = temporaryFolder();
  const child = decodeURIComponent(new URL("_wandb_child.ts", import.meta.url).pathname);
  const values = (path: string) =>
    [...readLog(Deno.readFileSync(path))].flatMap(({ data }) => {
      const by = /by\W+(\d+)/.exec(new TextDecoder().decode(data))?.[1]; // name, key, length, value
      const found = records.readRecord(data);
      return found.kind === "history" ? [[found.step, Number(by)]] : [];
    });
  for (let k = 0; k <= 6; k++) {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", child, run],
      ...{ stdout: "piped", stderr: "inherit" },
    }).spawn();
    const reader = process.stdout.getReader();
    await reader.read(); // a checkpoint is there
    if (k < 6) {
      await new Promise((resolve) => setTimeout(resolve, 7 * k));
      try {
        process.kill("SIGKILL");
      } catch (error) {
        assert(error instanceof TypeError, "only a process that has ended cannot be killed");
      }
    }
    const { success } = await process.status;
    await reader.cancel();
    if (k === 6) assert(success);
  }
  const path = session(run, 1e9, 1e9);
  const expected = readMetrics(join(run, "metrics.jsonl"))
    .map(({ global_step, by }) => [global_step, by]);
  assert(new Set(expected.map(([, by]) => by)).size > 1, "nobody was killed");
  assert.deepEqual(values(path), expected);
});

Deno.test({
  name: "wandb's own reader finds the rows of metrics.jsonl, the settings and the end of a run",
  ignore: !pythonHas("wandb"),
  fn: () => {
    const run = temporaryFolder();
    session(run, 0, 200);
    const path = session(run, 150, 400, 2, true);
    const { success, stdout, stderr } = new Deno.Command("python3", {
      args: ["-m", "wandb", "leet", "inspect", "--json", path],
      env: { WANDB_ERROR_REPORTING: "false" },
    }).outputSync();
    assert.ok(success, new TextDecoder().decode(stderr));
    const found = new TextDecoder().decode(stdout).trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    const rows = found.filter(({ type }) => type === "history").map(({ history }) =>
      Object.fromEntries(Object.entries(history.item).filter(([name]) => !name.startsWith("_")))
    );
    assert.deepEqual(rows, readMetrics(join(run, "metrics.jsonl")));
    const { run: identity } = found.find(({ type }) => type === "run");
    assert.equal(identity.project, "QwenVLA-Sensor");
    assert.deepEqual(identity.config.update, OPTIONS.config);
    assert.equal(found.at(-1).type, "exit");
    assert.deepEqual(found.map(({ num }) => num), found.map((_, i) => i + 1));
  },
});
