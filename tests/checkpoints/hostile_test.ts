import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { openCheckpoint, writeCheckpoint } from "../../lib/checkpoints/mod.ts";
import { canonicalJson } from "../../lib/features/canonical_json.ts";
import { seeded } from "../formats/_seeded.ts";
import { smallPolicy, tensorsOf, withFolder } from "./_policies.ts";

const config = smallPolicy();
const key = "action_expert.pos_embed";
type Members = Record<string, unknown>;

/** Calls with a whole checkpoint. */
function withCheckpoint(run: (folder: string) => Promise<void> | void): Promise<void> {
  return withFolder(async (root) => {
    const folder = `${root}/a`, tensors = tensorsOf(config);
    const training = { [`exp_avg.${key}`]: tensors[key]! };
    await writeCheckpoint(folder, { contents: { config, epoch: 3 }, tensors, training });
    await run(folder);
  });
}

/** Changes `checkpoint.json` and makes its digest right again: only its members can be wrong. */
function forge(folder: string, change: (document: Members) => unknown): void {
  const path = `${folder}/checkpoint.json`;
  const { digest: _, ...members } = JSON.parse(Deno.readTextFileSync(path)) as Members;
  const changed = (change(members) ?? members) as Members;
  const digest = createHash("sha256").update(canonicalJson(changed as never)).digest("hex");
  Deno.writeTextFileSync(path, JSON.stringify({ ...changed, digest }));
}

Deno.test("documents with members of wrong types, or without them, are refused by name", () =>
  withCheckpoint((folder) => {
    const path = `${folder}/checkpoint.json`;
    const text = Deno.readTextFileSync(path);
    const names = Object.keys(JSON.parse(text) as Members).filter((name) => name !== "digest");
    const wrong = [undefined, [], {}, -1, 1.5, "x", true, [[]], { name: 1 }, 1e300];
    let refused = 0;
    for (const name of names) {
      for (const value of wrong) {
        Deno.writeTextFileSync(path, text);
        forge(folder, (members) => {
          if (value === undefined) delete members[name];
          else members[name] = value;
        });
        try {
          openCheckpoint(folder).close();
          const isFree = ["extra", "features", "optimizer", "schedule", "sampler", "random"];
          const isText = [
            "program",
            "trainingStage",
            "statisticsDigest",
            "splitDigest",
            "createdBy",
          ];
          assert(
            isFree.includes(name) || (isText.includes(name) && value === "x") ||
              (name === "assumed" && Array.isArray(value) && value.length === 0) ||
              (name === "actionRepresentation" && !Array.isArray(value)),
            `${name} = ${JSON.stringify(value)}`,
          );
        } catch (error) {
          assert(error instanceof SyntaxError, `${name}: ${error}`);
          refused++;
        }
      }
    }
    assert(refused > 100, `${refused} were refused`);
  }));

Deno.test("configurations that are none, or would make endless lists, are refused", () =>
  withCheckpoint((folder) => {
    const changes: [(config: Members) => unknown, RegExp][] = [
      [(config) => config.family = "flow", /family/],
      [(config) => config.architecture = "other", /architecture/],
      [
        (config) => (config.actionExpert as Members).layers = 1e9,
        /at most 256 actionExpert.layers/,
      ],
      [(config) => (config.sensorEncoder as Members).convLayers = 1e15, /at most 256/],
      [(config) => (config.actionExpert as Members).heads = "8", /heads/],
      [(config) => delete (config.actionExpert as Members).dropout, /dropout/],
      [(config) => (config.actionExpert as Members).secret = 1, /unknown setting/],
      [(config) => config.actionExpert = null, /actionExpert/],
      [(config) => config.sensorEncoder = 4, /sensorEncoder/],
    ];
    const path = `${folder}/checkpoint.json`, text = Deno.readTextFileSync(path);
    for (const [change, message] of changes) {
      Deno.writeTextFileSync(path, text);
      forge(folder, ({ config }) => void change(config as Members));
      assert.throws(() => openCheckpoint(folder), (error: Error) => {
        assert(error instanceof SyntaxError);
        assert.match(error.message, message);
        return true;
      });
    }
  }));

Deno.test("names that lead out of the folder are refused", () =>
  withCheckpoint((folder) => {
    const path = `${folder}/checkpoint.json`, text = Deno.readTextFileSync(path);
    for (
      const name of ["../a/model.safetensors", "/etc/passwd", "checkpoint.json", "", "a\0b", 7]
    ) {
      Deno.writeTextFileSync(path, text);
      forge(folder, ({ files }) => void ((files as Members[])[1]!.name = name));
      assert.throws(() => openCheckpoint(folder), /files\[1\]/);
    }
    Deno.writeTextFileSync(path, text);
    forge(folder, ({ files }) => void ((files as Members[])[1] = (files as Members[])[0]!));
    assert.throws(() => openCheckpoint(folder), /without repetitions/);
  }));

Deno.test("a huge document is not read, a deep one is refused", () =>
  withCheckpoint((folder) => {
    const path = `${folder}/checkpoint.json`;
    const text = Deno.readTextFileSync(path);
    Deno.truncateSync(path, 2 ** 40);
    assert.throws(
      () => openCheckpoint(folder),
      /at most 67108864 bytes, current value is 1099511627776/,
    );
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    Deno.writeTextFileSync(path, text.replace('"sampler": null', `"sampler": ${deep}`));
    assert.throws(() => openCheckpoint(folder), SyntaxError);
  }));

Deno.test("no byte of a checkpoint can change unnoticed", () =>
  withCheckpoint(async (folder) => {
    const { below } = seeded(11);
    const files = ["checkpoint.json", "model.safetensors", "training.safetensors"]
      .map((name) => [`${folder}/${name}`, Deno.readFileSync(`${folder}/${name}`)] as const);
    let noticed = 0, same = 0;
    for (let i = 0; i < 400; i++) {
      const [path, bytes] = files[below(files.length)]!;
      const changed = bytes.slice(0, below(8) === 0 ? below(bytes.length) : bytes.length);
      if (changed.length === bytes.length) changed[below(bytes.length)]! ^= 1 << below(8);
      Deno.writeFileSync(path, changed);
      try {
        using checkpoint = openCheckpoint(folder);
        checkpoint.training();
        await checkpoint.verify();
        const [before, after] = [bytes, changed].map((text) =>
          JSON.parse(new TextDecoder().decode(text))
        );
        assert.deepEqual(after, before, "only blanks of the text are free");
        same++;
      } catch (error) {
        assert(error instanceof SyntaxError, `${path}: ${error}`);
        noticed++;
      }
      Deno.writeFileSync(path, bytes);
    }
    assert(noticed > 350 && same < 50, `${noticed} noticed, ${same} without a meaning`);
    Deno.removeSync(`${folder}/training.safetensors`);
    assert.throws(() => openCheckpoint(folder), /training.safetensors should be there/);
  }));
