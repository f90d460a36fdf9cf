import assert from "node:assert/strict";
import {
  createNpyWriter,
  createNpzWriter,
  replaceFolderAtomic,
  writeCsv,
  writeFileAtomic,
  writeNpy,
  writeNpz,
  writePickle,
  writeSafetensors,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { writeAll } from "../../lib/formats/_partial_file.ts";
import { writing } from "../../lib/formats/_write_error.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const data = new Float32Array(300);
const tensor = { dtype: "float32", shape: [300], data } as const;

const WRITERS: Readonly<Record<string, (path: string) => void>> = {
  text: (path) => writeFileAtomic(path, "text"),
  npy: (path) => writeNpy(path, { data }),
  rows: (path) => {
    using writer = createNpyWriter(path, { dtype: "float32" });
    writer.append(data);
    writer.close();
  },
  npz: (path) => writeNpz(path, { a: { data } }),
  compressed: (path) => writeNpz(path, { a: { data } }, { compressed: true }),
  npzRows: (path) => {
    using writer = createNpzWriter(path);
    using rows = writer.open("a", { dtype: "float32" });
    rows.append(data);
    rows.close();
    writer.close();
  },
  csv: (path) => writeCsv(path, { header: ["a"], columns: { a: data } }),
  pickle: (path) => writePickle(path, [1, 2]),
  safetensors: (path) => writeSafetensors(path, { a: tensor }),
  torch: (path) => writeTorchCheckpoint(path, { a: tensor }),
};

const systemError = (code: string, message: string) => Object.assign(new Error(message), { code });

/** Lets a function of open files fail. */
function whileFull(name: "writeSync" | "syncSync", error: Error, action: () => void): void {
  const original = Deno.FsFile.prototype[name];
  Deno.FsFile.prototype[name] = () => {
    throw error;
  };
  try {
    action();
  } finally {
    Deno.FsFile.prototype[name] = original as never;
  }
}

function refused(path: string, action: () => void, message: RegExp): void {
  assert.throws(action, (error: Error) => {
    assert(error.message.startsWith(`Cannot write ${path}: `), error.message);
    assert.match(error.message, message);
    assert(error.cause instanceof Error, "the system's error is kept");
    return true;
  });
}

for (const [name, write] of Object.entries(WRITERS)) {
  Deno.test(`a full disk names the file and leaves the old one: ${name}`, () => {
    const folder = temporaryFolder(), path = `${folder}/model`;
    Deno.writeTextFileSync(path, "old");
    const full = systemError("ENOSPC", "No space left on device (os error 28)");
    for (const step of ["writeSync", "syncSync"] as const) {
      whileFull(step, full, () =>
        refused(
          path,
          () => write(path),
          /its disk should have room left.*No space left on device.*Free some, or write to another/,
        ));
      assert.deepEqual([names(folder), Deno.readTextFileSync(path)], [["model"], "old"]);
    }
    write(path);
    assert.notEqual(Deno.readTextFileSync(path), "old");
  });
}

Deno.test("quotas, limits of file sizes and read-only file systems are told likewise", () => {
  const path = temporaryPath("model");
  const cases: [string, RegExp][] = [
    ["EDQUOT", /the user's quota should have room left/],
    ["EFBIG", /its file system should hold files this large/],
    ["EROFS", /its file system should not be read-only.*Write to another folder\./],
  ];
  for (const [code, message] of cases) {
    const error = systemError(code, "of the system");
    whileFull("writeSync", error, () => refused(path, () => writeFileAtomic(path, "a"), message));
  }
  const open = Deno.openSync;
  Deno.openSync = () => {
    throw systemError("EROFS", "Read-only file system (os error 30): open '.model.partial-1-2'");
  };
  try {
    refused(path, () => writeFileAtomic(path, "a"), /should not be read-only/);
  } finally {
    Deno.openSync = open;
  }
});

Deno.test("other errors stay as they are", () => {
  const path = `${temporaryFolder()}/nowhere/model`;
  assert.throws(() => writeFileAtomic(path, "a"), Deno.errors.NotFound);
  const error = systemError("EIO", "Input/output error (os error 5)");
  assert.throws(() =>
    writing("a", () => {
      throw error;
    }), (thrown) => thrown === error);
});

Deno.test("a full disk names the folder that is built, unless the file in it is named", async () => {
  const parent = temporaryFolder(), target = `${parent}/episode`;
  const full = systemError("ENOSPC", "No space left on device (os error 28)");
  const build = () => {
    throw full;
  };
  await assert.rejects(replaceFolderAtomic(target, build), (error: Error) => {
    assert.match(error.message, /^Cannot write .*\/episode: its disk should have room left/);
    return true;
  });
  const inner = (folder: string) =>
    whileFull("writeSync", full, () => writeNpy(`${folder}/action.npy`, { data }));
  await assert.rejects(replaceFolderAtomic(target, inner), (error: Error) => {
    assert.match(error.message, /^Cannot write .*episode.*\/action\.npy: its disk should/);
    assert.equal(error.message.match(/Cannot write/g)!.length, 1);
    return true;
  });
  assert.deepEqual(names(parent), []);
});

Deno.test({
  name: "a device that is full says so as other disks do",
  ignore: Deno.build.os !== "linux",
  fn: () => {
    using full = Deno.openSync("/dev/full", { write: true });
    refused(
      "/dev/full",
      () => writing("/dev/full", () => writeAll(full, new Uint8Array(9))),
      /room left/,
    );
  },
});
