import assert from "node:assert/strict";
import {
  recoverFolder,
  replaceFolderAtomic,
  writeFileAtomic,
} from "../../lib/formats/atomic_write.ts";
import { temporaryFolder } from "../_temporary.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("a file whose writing throws keeps its old contents and leaves nothing beside", () => {
  const folder = temporaryFolder();
  const path = `${folder}/a`;
  writeFileAtomic(path, (file) => file.writeSync(Uint8Array.of(1)));
  assert.throws(
    () =>
      writeFileAtomic(path, (file) => {
        file.writeSync(Uint8Array.of(2, 2));
        throw new Error("full");
      }),
    /full/,
  );
  assert.deepEqual([...Deno.readFileSync(path)], [1]);
  assert.deepEqual(names(folder), ["a"]);
});

Deno.test("a folder is replaced as a whole, and a failed build leaves the old one", async () => {
  const folder = temporaryFolder();
  const target = `${folder}/episode`;
  await replaceFolderAtomic(target, (temporary) => Deno.mkdirSync(`${temporary}/old`));
  await assert.rejects(
    replaceFolderAtomic(target, (temporary) => {
      Deno.mkdirSync(`${temporary}/half`);
      throw new Error("full");
    }),
    /full/,
  );
  assert.deepEqual([names(folder), names(target)], [["episode"], ["old"]]);
  await replaceFolderAtomic(target, (temporary) => Deno.mkdirSync(`${temporary}/new`));
  assert.deepEqual([names(folder), names(target)], [["episode"], ["new"]]);
});

Deno.test("leftovers of dead processes are removed, those of living ones are not", async () => {
  const folder = temporaryFolder();
  const dead = new Deno.Command(Deno.execPath(), { args: ["eval", ""] }).spawn();
  await dead.status;
  const living = new Deno.Command(Deno.execPath(), {
    args: ["eval", "await new Promise((done) => setTimeout(done, 60_000))"],
  }).spawn();
  Deno.mkdirSync(`${folder}/.episode.partial-${dead.pid}-0`);
  Deno.mkdirSync(`${folder}/.episode.partial-${living.pid}-0`);
  await replaceFolderAtomic(`${folder}/episode`, () => {});
  assert.deepEqual(names(folder), [`.episode.partial-${living.pid}-0`, "episode"]);
  living.kill();
  await living.status;
});

Deno.test("a folder that was moved aside comes back", () => {
  const folder = temporaryFolder();
  Deno.mkdirSync(`${folder}/.episode.previous`);
  recoverFolder(`${folder}/episode`);
  assert.deepEqual(names(folder), ["episode"]);
  Deno.mkdirSync(`${folder}/.episode.previous`);
  recoverFolder(`${folder}/episode`); // it died after the new one was in place
  assert.deepEqual(names(folder), ["episode"]);
});
