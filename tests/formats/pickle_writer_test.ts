import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  encodePickle,
  NumpyDtype,
  NumpyScalar,
  PickleFloat,
  type PickleInput,
  PickleReference,
  PickleTuple,
  type PickleValue,
  readPickle,
  writePickle,
} from "../../lib/formats/mod.ts";
import { fixture } from "./_pickle_fixtures.ts";

Deno.test("what Python wrote and we read is written byte for byte as Python did", () => {
  for (const name of ["plain_p4.pkl", "data_numpy1.pkl"]) {
    const bytes = Deno.readFileSync(fixture(name));
    const again = encodePickle(readPickle(bytes, { floats: "tagged" }));
    assert.equal(Buffer.from(again).toString("hex"), Buffer.from(bytes).toString("hex"), name);
  }
});

Deno.test("large values are framed as Python frames them", () => {
  const large: Readonly<Record<string, PickleInput>> = {
    "many ints": Array.from({ length: 40000 }, (_, i) => i),
    "large bytes": {
      a: new Uint8Array(70000).fill(1),
      b: new Uint8Array(65535).fill(2),
      c: [new Uint8Array(65536).fill(3)],
    },
    "large text": ["z".repeat(70000), "z", "ä".repeat(40000)],
    "many texts": Array.from(
      { length: 20000 },
      (_, k) => `/data/${String(k).padStart(6, "0")}.jpg`,
    ),
  };
  const recorded: Record<string, [number, string]> = JSON.parse(
    Deno.readTextFileSync(fixture("large.json")),
  );
  for (const [name, [length, digest]] of Object.entries(recorded)) {
    const bytes = encodePickle(large[name]!);
    assert.equal(bytes.length, length, name);
    assert.equal(createHash("sha256").update(bytes).digest("hex"), digest, name);
  }
});
