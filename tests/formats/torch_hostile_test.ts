import assert from "node:assert/strict";
import { PicklePersistent } from "../../lib/formats/_pickle_call.ts";
import { createZipWriter } from "../../lib/formats/_zip_writer.ts";
import { PickleReference, PickleTuple, type TorchTensor } from "../../lib/formats/mod.ts";
import { archive, call, checkpoint, open, pickle, storage, tensor } from "./_torch_archive.ts";
import { temporaryPath } from "../_temporary.ts";

function refused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => {
    using file = open(bytes);
    for (const [, tensor] of file.tensors()) tensor.read();
  }, (error: Error) => {
    assert(error instanceof SyntaxError, String(error.stack));
    assert.match(error.message, /^Cannot (read|list the tensors of) .*model\.pt/);
    assert.match(error.message, message);
    assert(error.message.length < 700);
    return true;
  });
}

Deno.test("refuses tensors that do not lie in their storage, naming record and place", () => {
  const of = storage(6);
  const cases: [RegExp, unknown][] = [
    [
      /record x\/data\.pkl at byte \d+: .*float32 tensor \(2, 3\).*\(3, 1\) at 1 should lie within its storage 0 of 6 elements, current value is 7/,
      tensor(of, 1, [2, 3], [3, 1]),
    ],
    [/should lie within.*current value is 8/, tensor(of, 0, [2, 3], [5, 1])],
    [/should lie within/, tensor(of, 6, [], [])],
    [/should lie within/, tensor(of, 2 ** 40, [1], [1])],
    [
      /strides of a tensor should be a tuple of whole numbers from 0.*\(-1,\)/,
      tensor(of, 5, [6], [-1]),
    ],
    [/size of a tensor should be.*\(-2, -3\)/, tensor(of, 0, [-2, -3], [3, 1])],
    [/offset from 0, current value is -1/, tensor(of, -1, [2], [1])],
    [/offset from 0, current value is 0\.5/, tensor(of, 0.5, [2], [1])],
    [/size of a tensor should be.*1\.5/, tensor(of, 0, [1.5], [1])],
    [/as many strides, at most 64, current value is \(1,\)/, tensor(of, 0, [2, 3], [1])],
    [/as many strides/, tensor(of, 0, Array(65).fill(1), Array(65).fill(1))],
    [/fewer than 2⁵³ elements/, tensor(of, 0, [2 ** 30, 2 ** 30], [0, 0])],
    [/should lie within/, tensor(of, 0, [2 ** 30, 2 ** 20], [2 ** 53 - 1, 2 ** 53 - 1])],
    [
      /size of a tensor should be a tuple.*list/,
      call("torch._utils._rebuild_tensor_v2", of, 0, [6], [1], false, null),
    ],
    [
      /\(storage, offset, size, stride, …\)/,
      call("torch._utils._rebuild_tensor_v2", 1, 2, 3, 4, 5, 6),
    ],
    [/\(storage, offset, size, stride, …\)/, call("torch._utils._rebuild_tensor_v2", of)],
    [
      /dtype of a tensor should be known.*torch\.FloatStorage/,
      call(
        "torch._utils._rebuild_tensor_v3",
        of,
        0,
        new PickleTuple([]),
        new PickleTuple([]),
        false,
        null,
        new PickleReference("torch.FloatStorage"),
      ),
    ],
    [
      /a parameter should be \(tensor, bool, hooks\)/,
      call("torch._utils._rebuild_parameter", [], true, null),
    ],
    [/whole numbers from 0/, call("torch.Size", new PickleTuple([-1]))],
    [/torch\.device should be/, call("torch.device", 3)],
    [/it calls what may only be mentioned.*torch\.float16/, call("torch.float16", 3)],
    [/OrderedDict is made of pairs/, call("collections.OrderedDict", [1])],
  ];
  for (const [message, value] of cases) refused(checkpoint({ a: value }, 24), message);
});

Deno.test("refuses storages that are not what the pickle says", () => {
  const cases: [RegExp, unknown][] = [
    [/should hold 28 bytes of float32, current value is 24 bytes of float32/, storage(7)],
    [/should hold each storage, current value is no record x\/data\/1/, storage(6, "1")],
    [/no record x\/data\/\.\.\/data\.pkl/, storage(6, "../data.pkl")],
    [/should hold -24 bytes/, storage(-6)],
    [/should hold NaN bytes/, storage(NaN)],
    [
      /a storage should be .*tuple|a storage should be .*str,float,str,str|a storage should be/,
      storage("6"),
    ],
    [/a storage should be/, storage(6, 0)],
    [/a storage should be/, new PicklePersistent(["module", 1])],
    [
      /type of a storage should be known, current value is torch\.float16/,
      storage(6, "0", "torch.float16"),
    ],
    [/should hold 24 bytes of int32, current value is 24 bytes of float32/, [
      storage(6),
      storage(6, "0", "torch.IntStorage"),
    ]],
    [/should hold 24 bytes of any dtype/, [
      storage(6),
      storage(24, "0", "torch.storage.UntypedStorage"),
    ]],
  ];
  for (const [message, value] of cases) refused(checkpoint({ a: value }, 24), message);
});

Deno.test("refuses names that are not on the list, and tells them; nothing is executed", () => {
  for (
    const name of ["os.system", "builtins.eval", "torch.load", "torch.hub.load", "__builtin__.exec"]
  ) {
    const message = new RegExp(
      `record x/data\\.pkl at byte \\d+: .*${name.replaceAll(".", "\\.")}.*Nothing was`,
    );
    refused(checkpoint({ a: call(name, "echo hacked") }), message);
    refused(checkpoint([new PickleReference(name)]), message);
  }
});

Deno.test("a tensor that repeats few elements many times is described, not read", () => {
  const bytes = checkpoint([tensor(storage(1), 0, [2 ** 20, 2 ** 20], [0, 0])], 4);
  using file = open(bytes);
  const [[, huge]] = file.tensors() as [[unknown, TorchTensor]];
  assert.equal(huge.bytes, 2 ** 42);
  assert.throws(
    () => huge.read(),
    /repeats its elements should take at most .* from 4\. Read some/,
  );
  assert.deepEqual(huge.readRows(0, 1).length, 2 ** 20);
});

Deno.test("lists what holds itself once, and refuses to list what is too deep or too much", () => {
  const of = tensor(storage(1), 0, [1], [1]);
  const loop: unknown[] = [of];
  loop.push(loop);
  using file = open(checkpoint(loop, 4));
  assert.deepEqual(file.tensors().map(([path]) => path), [[0]]);

  let deep: unknown = of, wide: unknown = of;
  for (let i = 0; i < 200; i++) deep = [deep];
  for (let i = 0; i < 40; i++) wide = [wide, wide];
  refused(checkpoint(deep, 4), /at most 100 levels deep/);
  refused(checkpoint(wide, 4), /at most 1000000 values/);
});

Deno.test("refuses archives that are none of torch.save", () => {
  const data = pickle({ a: 1 });
  refused(archive({}), /a file that begins with 504b0506/);
  refused(archive({ "x/model.json": data }), /hold one data\.pkl, current value is x\/model\.json/);
  refused(archive({ "x/data.pkl": data, "y/data.pkl": data }), /x\/data\.pkl, y\/data\.pkl/);
  refused(
    archive({ "x/data.pkl": data, "x/byteorder": new TextEncoder().encode("middle") }),
    /byte order should be little or big, current value is middle/,
  );
  refused(archive({ "x/data.pkl": data, "x/byteorder": new Uint8Array(99) }), /99 bytes/);
});

Deno.test("refuses a compressed archive, and one that was cut short anywhere", () => {
  const path = temporaryPath("file");
  {
    using file = Deno.openSync(path, { write: true, create: true });
    const zip = createZipWriter(file, true);
    zip.begin("x/data.pkl", new Uint8Array(0));
    zip.write(pickle({ a: 1 }));
    zip.end(new Uint8Array(0));
    zip.finish();
  }
  refused(Deno.readFileSync(path), /x\/data\.pkl should be stored, current value is a compressed/);
  const bytes = checkpoint([tensor(storage(6), 0, [6], [1])], 24);
  for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length), /./);
});
