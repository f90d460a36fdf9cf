import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson, type JsonValue } from "../../lib/features/mod.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

Deno.test("canonicalJson gives RFC 8785's examples", () => {
  // Section 3.2.2 and 3.2.3.
  const value = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`);
  assert.equal(
    canonicalJson(value),
    String.raw`{"literals":[null,true,false],` +
      String.raw`"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
      String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
  const names = {
    "\u20ac": 1,
    "\r": 2,
    "\ufb33": 3,
    "1": 4,
    "\u{1f600}": 5,
    "\u0080": 6,
    "\u00f6": 7,
  };
  assert.equal(
    canonicalJson(names),
    '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
  );
});

Deno.test("canonicalJson says the same whatever the order of members", () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => {
    const value = JSON.parse(JSON.stringify(json)) as JsonValue;
    assert.deepEqual(JSON.parse(canonicalJson(value)), value);
    assert.equal(canonicalJson(reversed(value)), canonicalJson(value));
  }));
});

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, inner]) => [name, reversed(inner)] as const);
  return Object.fromEntries(members.toReversed());
}

Deno.test("canonicalJson refuses what has no JSON, and says where", () => {
  const cases: [unknown, RegExp][] = [
    [{ a: { b: [0, Infinity] } }, /a\.b\[1\]/],
    ["\ud800", /whole characters/],
    [{ "\udc00": 1 }, /whole characters/],
    [{ a: undefined }, /a should be a JSON value/],
    [[() => 1], /\[0\]/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => canonicalJson(value as JsonValue), message);
  }
});
