import assert from "node:assert/strict";
import { join } from "node:path";
import { digestModel, libraryName, openModelFolder } from "../../lib/vision_language/mod.ts";
import { copyModel, copySingle, editJson, MODEL } from "./_folder.ts";

const INDEX = "model.safetensors.index.json";
const NORM = "model.norm.weight";

Deno.test("openModelFolder finds the same tensors in shards and in one file, under names of both families", () => {
  using sharded = openModelFolder(MODEL);
  using single = openModelFolder(copySingle());
  using renamed = openModelFolder(copySingle((tensors) => {
    for (const [name, tensor] of [...tensors]) {
      tensors.delete(name);
      tensors.set(libraryName(name), tensor);
    }
  }));
  assert.equal(sharded.shards.length, 2);
  const names = [...sharded.tensors.keys()].sort();
  for (const folder of [single, renamed]) {
    assert.deepEqual([...folder.tensors.keys()].sort(), names);
    assert.deepEqual(
      folder.tensors.get(NORM)!.read().data,
      sharded.tensors.get(NORM)!.read().data,
    );
  }
});

Deno.test("openModelFolder leaves out an output matrix that repeats the tied embedding", () => {
  using folder = openModelFolder(copySingle((tensors) => {
    tensors.set("lm_head.weight", tensors.get("model.embed_tokens.weight")!);
  }));
  assert(!folder.tensors.has("lm_head.weight"));
});

Deno.test("openModelFolder names tensors that are missing, extra, repeated, or of another shape or dtype", () => {
  const bits = (shape: number[]) => {
    const data = new Uint16Array(shape.reduce((a, b) => a * b));
    return { dtype: "bfloat16", shape, data } as const;
  };
  const opens = (change: Parameters<typeof copySingle>[0]) => () =>
    openModelFolder(copySingle(change)).close();
  assert.throws(opens((t) => t.delete(NORM)), /lacks model\.norm\.weight/);
  assert.throws(opens((t) => t.set("more.weight", bits([2]))), /has more\.weight besides/);
  assert.throws(
    opens((t) => t.set(NORM, bits([47]))),
    /model\.norm\.weight is \(47,\) instead of \(48,\)/,
  );
  assert.throws(
    opens((t) => t.set(libraryName(NORM), bits([48]))),
    /model\.norm\.weight is there twice/,
  );
  assert.throws(opens((t) => t.set("lm_head.weight", bits([2, 2]))), /lm_head\.weight is \(2, 2\)/);
  assert.throws(
    opens((t) => t.set(NORM, { dtype: "float16", shape: [48], data: new Float16Array(48) })),
    /float16, neither bfloat16 nor float32/,
  );
  assert.throws(
    opens((t) => [...t.keys()].filter((name) => /norm/.test(name)).forEach((n) => t.delete(n))),
    /… \d+ more/,
  );
});

Deno.test("openModelFolder refuses an index that does not fit its shards or leaves the folder", () => {
  const broken = (edit: (map: Record<string, string>) => void) => {
    const folder = copyModel();
    editJson(folder, INDEX, (value) => edit(value["weight_map"] as Record<string, string>));
    return () => openModelFolder(folder).close();
  };
  assert.throws(broken((map) => void delete map[NORM]), /has model\.norm\.weight besides/);
  assert.throws(broken((map) => void (map["x"] = map[NORM]!)), /lacks x/);
  assert.throws(broken((map) => void (map[NORM] = "../x.safetensors")), /files beside it/);
  for (const name of [".", "..", ""]) {
    assert.throws(broken((map) => void (map[NORM] = name)), (error: Error) => {
      assert(error instanceof SyntaxError);
      assert(error.message.includes(`name files beside it, current value is "${name}"`));
      return true;
    });
  }
  assert.throws(broken((map) => void (map[NORM] = "gone.safetensors")), /gone\.safetensors/);
  assert.throws(
    broken((map) => Object.keys(map).forEach((name) => delete map[name])),
    /current value is none/,
  );
});

Deno.test("openModelFolder refuses a folder without weights or with a shard that was cut short", () => {
  assert.throws(() => openModelFolder(join(MODEL, "nowhere")), /current value is nothing/);
  assert.throws(() => openModelFolder(join(MODEL, "config.json")), /a file/);
  const empty = copyModel();
  for (const { name } of Deno.readDirSync(empty)) {
    if (name.includes("safetensors")) Deno.removeSync(join(empty, name));
  }
  assert.throws(() => openModelFolder(empty), /model\.safetensors\.index\.json/);
  const cut = copyModel();
  const shard = join(cut, "model-00001-of-00002.safetensors");
  Deno.truncateSync(shard, Deno.statSync(shard).size - 1);
  assert.throws(() => openModelFolder(cut), /cut short/);
});

Deno.test("digestModel changes with a bit of the weights and with the configuration, and only then", async () => {
  const digest = async (path: string) => {
    using folder = openModelFolder(path);
    return (await digestModel(folder)).digest;
  };
  const original = await digest(MODEL);
  assert.equal(await digest(copyModel()), original);
  const flipped = copyModel(), shard = join(flipped, "model-00002-of-00002.safetensors");
  const bytes = Deno.readFileSync(shard);
  bytes[bytes.length - 1]! ^= 1;
  Deno.writeFileSync(shard, bytes);
  assert.notEqual(await digest(flipped), original);
  const configured = copyModel();
  editJson(configured, "config.json", (value) => void (value["rope_theta"] = 1e5));
  assert.notEqual(await digest(configured), original);
});
