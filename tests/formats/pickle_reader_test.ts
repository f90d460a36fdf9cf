import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  NumpyDtype,
  NumpyScalar,
  PickleFloat,
  type PickleGlobal,
  pickleRecord,
  PickleReference,
  PickleTuple,
  type PickleValue,
  readPickle,
} from "../../lib/formats/mod.ts";
import { fixture } from "./_pickle_fixtures.ts";

const PROTOCOLS = [0, 1, 2, 3, 4, 5];
const tuple = (...items: PickleValue[]) => new PickleTuple(items);

for (const protocol of PROTOCOLS) {
  Deno.test(`plain values of protocol ${protocol} come out as Python wrote them`, () => {
    const read = pickleRecord(readPickle(fixture(`plain_p${protocol}.pkl`)));
    const long = 2n ** 2100n;
    assert.equal(read.none, null);
    assert.deepEqual(read.bools, [true, false]);
    // deno-fmt-ignore
    assert.deepEqual(read.ints, [0, 1, 255, 256, 65535, 65536, -1, -128, -129, 2 ** 31 - 1,
      2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 47 - 1, 2 ** 47, -(2 ** 47), -(2 ** 47) - 1,
      2 ** 53 - 1, 2n ** 53n, -(2n ** 53n), -(2n ** 60n), 2n ** 63n, 2n ** 64n - 1n, 2n ** 100n,
      -(2n ** 100n), long, -long]);
    assert.deepEqual(read.floats, [0.1, -0, 1e300, 5e-324, Infinity, -Infinity, NaN]);
    assert.deepEqual(read.texts, [
      "",
      "ä€😀",
      "back\\slash\nline \\u0041",
      "file\udcff.jpg",
      "x".repeat(300),
    ]);
    const bytes = [[], Array.from({ length: 256 }, (_, i) => i), new Array(300).fill(0x79)];
    assert.deepEqual((read.bytes as Uint8Array[]).map((item) => [...item]), bytes);
    assert.deepEqual(read.tuples, [
      tuple(),
      tuple(1),
      tuple(1, 2),
      tuple(1, 2, 3),
      tuple(1, 2, 3, 4),
      tuple(tuple(), "nested"),
    ]);
    assert.deepEqual(read.set, new Set([12]));
    assert.deepEqual(read.empty, [new Map(), [], new Set()]);
    assert.deepEqual(read.one, new Map([["key", [7]]]));
    assert.deepEqual(read.batches, Array.from({ length: 2500 }, (_, i) => i));
    const many = new Map(Array.from({ length: 1001 }, (_, i) => [i, i && -i]));
    assert.deepEqual(read.many, many);
  });

  Deno.test(`values that protocol ${protocol} may write as calls come out`, () => {
    const read = pickleRecord(readPickle(fixture(`older_p${protocol}.pkl`)));
    assert.deepEqual(read.bytearray, [new Uint8Array(), new Uint8Array([97, 98, 255])]);
    assert.deepEqual(read.frozenset, new Set([12]));
    assert.deepEqual(read.complex, new NumpyScalar("complex128", [1, -2]));
    assert.deepEqual(read.ordered, new Map<string, PickleValue>([["a", 1], ["b", [2]]]));
  });

  Deno.test(`what protocol ${protocol} wrote once is one object, also inside itself`, () => {
    const read = pickleRecord(readPickle(fixture(`plain_p${protocol}.pkl`)));
    const [first, second] = read.shared as PickleValue[];
    assert.deepEqual(first, [1, 2]);
    assert.equal(first, second);
    const own = read.own as PickleValue[];
    assert.equal(own[1], own);
    const looped = read.looped as PickleTuple;
    const held = looped.items[0] as PickleValue[];
    assert.equal(looped.items[1], "looped");
    assert.equal(held[0], looped);
  });

  Deno.test(`floats of protocol ${protocol} can be told from ints`, () => {
    const read = pickleRecord(readPickle(fixture(`plain_p${protocol}.pkl`), { floats: "tagged" }));
    assert.deepEqual(read.whole, [new PickleFloat(0), new PickleFloat(2)]);
    assert.equal((read.ints as PickleValue[])[0], 0);
  });
}

Deno.test("Python 2's str is text where it is ASCII, else bytes", () => {
  const read = (text: string) => readPickle(Buffer.from(text, "latin1"));
  assert.equal(read("S'a\\x41\\'\\n'\n."), "aA'\n");
  assert.deepEqual(read("U\x02\xff\xd8."), new Uint8Array([0xff, 0xd8]));
  assert.equal(read("T\x03\0\0\0abc."), "abc");
  assert.deepEqual(read("S'\\377'\n."), new Uint8Array([255]));
});

Deno.test("instances of allowed names in Python 2's way are calls", () => {
  const read = (text: string) => readPickle(new TextEncoder().encode(text));
  assert.deepEqual(
    read("(F1\nF2\ni__builtin__\ncomplex\n."),
    new NumpyScalar("complex128", [1, 2]),
  );
  assert.deepEqual(read("(c__builtin__\nset\n(lI3\nao."), new Set([3]));
});

Deno.test("a dtype alone is a value", () => {
  const bytes = Buffer.from(
    "cnumpy\ndtype\n(S'f4'\nI00\nI01\ntR(I3\nS'>'\nNNNI-1\nI-1\nI0\ntb.",
  );
  assert.deepEqual(readPickle(bytes), new NumpyDtype(">f4"));
});

Deno.test("a key __proto__ is a key like any other", () => {
  const record = pickleRecord(readPickle(new TextEncoder().encode("(dV__proto__\nI1\ns.")));
  assert.equal(Object.getPrototypeOf(record), null);
  assert.deepEqual(Object.entries(record), [["__proto__", 1]]);
  assert.throws(() => pickleRecord(new Map([[1, 2]])), /keys should be str, .*int/);
  assert.throws(() => pickleRecord([]), /a dict is needed, .*list/);
});

Deno.test("bytes after the value are an error unless they are to be ignored", () => {
  const bytes = new TextEncoder().encode("I1\n.I2\n.");
  assert.throws(() => readPickle(bytes, { name: "two.pkl" }), /two\.pkl at byte 3: .*4 more bytes/);
  assert.equal(readPickle(bytes, { trailing: "ignore" }), 1);
});

class Tensor {
  constructor(
    readonly storage: string,
    readonly dtype: string,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
    readonly offset: number,
  ) {}
}
class Storage {
  constructor(readonly key: string, readonly type: string) {}
}
type Torch = Tensor | Storage;

const TORCH: Readonly<Record<string, PickleGlobal<Torch>>> = {
  "torch.FloatStorage": {},
  "torch.LongStorage": {},
  "torch.BFloat16Storage": {},
  "torch._utils._rebuild_tensor_v2": {
    construct([storage, offset, size, stride], context) {
      if (!(storage instanceof Storage)) return context.fail("a storage is needed", storage);
      const numbers = (sizes: unknown) => (sizes as PickleTuple).items as readonly number[];
      return new Tensor(storage.key, storage.type, numbers(size), numbers(stride), Number(offset));
    },
  },
  "torch._utils._rebuild_parameter": { construct: ([tensor]) => tensor! },
};

Deno.test("a PyTorch checkpoint is read with names and storages that the caller allows", () => {
  const read = pickleRecord(readPickle<Torch>(fixture("torch_data.pkl"), {
    globals: TORCH,
    persistentLoad(id, context) {
      const [kind, type, key] = (id as PickleTuple<Torch>).items;
      if (kind !== "storage" || !(type instanceof PickleReference) || typeof key !== "string") {
        return context.fail("a storage is needed", kind);
      }
      return new Storage(key, type.name.replace("torch.", ""));
    },
  }));
  const model = pickleRecord(read.model!);
  assert.deepEqual(Object.keys(model), [
    "0.weight",
    "0.bias",
    "1.weight",
    "1.bias",
    "1.running_mean",
    "1.running_var",
    "1.num_batches_tracked",
  ]);
  assert.deepEqual(model["0.weight"], new Tensor("0", "FloatStorage", [2, 3], [3, 1], 0));
  assert.deepEqual((model["1.num_batches_tracked"] as Tensor).shape, []);
  assert.deepEqual((read.parameter as Tensor).shape, [2]);
  const { shape, stride, offset } = read.view as Tensor;
  assert.deepEqual([shape, stride, offset], [[2, 2], [4, 2], 4]);
  assert.equal((read.half as Tensor).dtype, "BFloat16Storage");
  assert.deepEqual([read.epoch, read.lr], [3, 1e-4]);
  assert.deepEqual(read.loss, new NumpyScalar("float64", 0.25));
});

Deno.test("without the caller's names a PyTorch checkpoint is refused", () => {
  assert.throws(
    () => readPickle(fixture("torch_data.pkl")),
    /torch_data\.pkl at byte \d+: .*list of allowed names, current value is torch\._utils\._rebuild/,
  );
  assert.throws(
    () => readPickle(fixture("torch_data.pkl"), { globals: TORCH }),
    /lies outside the pickle.*persistentLoad/,
  );
});

Deno.test("a construct that returns nothing is the caller's error", () => {
  const globals = { "a.b": { construct: () => undefined as never } };
  assert.throws(
    () => readPickle(new TextEncoder().encode("ca\nb\n(tR."), { globals }),
    /construct of a\.b should return a value/,
  );
});
