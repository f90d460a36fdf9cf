import assert from "node:assert/strict";
import fc from "fast-check";
import { readCsv, writeCsv } from "../../lib/formats/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const folder = temporaryFolder();
const path = `${folder}/t.csv`;

Deno.test("what is written is read back bit by bit", () => {
  const name = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" })
    .filter((text) => !/[\p{Cc}\uFEFF]/u.test(text) && text.trim() === text);
  const contents = fc.uniqueArray(name, { minLength: 1, maxLength: 5 }).chain((header) =>
    fc.record({
      header: fc.constant(header),
      rows: fc.array(
        fc.array(fc.double(), { minLength: header.length, maxLength: header.length }),
        {
          maxLength: 20,
        },
      ),
      newline: fc.constantFrom("\n" as const, "\r\n" as const),
    })
  );
  fc.assert(
    fc.property(contents, ({ header, rows, newline }) => {
      const columns = Object.fromEntries(
        header.map((name, k) => [name, Float64Array.from(rows, (row) => row[k]!)]),
      );
      writeCsv(path, { header, columns, newline });
      const table = readCsv(path, { nan: "keep" });
      assert.deepEqual(table.header, header);
      assert.deepEqual(table.columns, columns);
      assert.equal(Deno.readTextFileSync(path).split(newline).length, rows.length + 2);
    }),
    { numRuns: 300, seed: 1 },
  );
});

Deno.test("a column may have its own number of decimals", () => {
  const columns = { t: [1761551500.174321, -0.0005, 2], x: [0.1, -0, NaN] };
  writeCsv(path, { header: ["x", "t"], columns, decimals: { t: 3 } });
  assert.equal(Deno.readTextFileSync(path), "x,t\n0.1,1761551500.174\n-0,-0.001\nnan,2.000\n");
});

Deno.test("names are quoted where they must be", () => {
  const header = ["a,b", ' "x"', "", "__proto__"];
  const columns = Object.fromEntries(header.map((name, k) => [name, [k]]));
  writeCsv(path, { header, columns });
  assert.equal(Deno.readTextFileSync(path), '"a,b"," ""x""","",__proto__\n0,1,2,3\n');
  assert.deepEqual(readCsv(path).header, header);
});

Deno.test("many rows are written in pieces, all of them", () => {
  const x = Float64Array.from({ length: 100_000 }, (_, k) => Math.sin(k));
  writeCsv(path, { header: ["x"], columns: { x } });
  assert.deepEqual(readCsv(path).columns.x, x);
});

Deno.test("what could not be read again is refused, and the old file stays", () => {
  Deno.writeTextFileSync(path, "old");
  const refused: [Parameters<typeof writeCsv>[1], RegExp][] = [
    [{ header: [], columns: {} }, /RangeError.*the header should have a column/],
    [{ header: ["a"], columns: {} }, /TypeError.*column "a" should hold numbers/],
    [{ header: ["toString"], columns: {} }, /TypeError.*column "toString" should hold numbers/],
    [{ header: ["a"], columns: { a: [1], b: [1] } }, /TypeError.*name every column.*no "b"/],
    [{ header: ["a", "a"], columns: { a: [1] } }, /RangeError.*same name, current value is "a"/],
    [{ header: ["a", "b"], columns: { a: [1], b: [] } }, /RangeError.*"b" should have 1 rows/],
    [{ header: ["a\nb"], columns: { "a\nb": [1] } }, /RangeError.*one line of text/],
    [{ header: ["\ud800"], columns: { "\ud800": [1] } }, /RangeError.*one line of text/],
    [{ header: ["a"], columns: { a: [1] }, decimals: { a: 1.5 } }, /RangeError.*decimals of "a"/],
  ];
  for (const [contents, message] of refused) {
    assert.throws(() => writeCsv(path, contents), (error) => message.test(String(error)));
  }
  assert.equal(Deno.readTextFileSync(path), "old");
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["t.csv"]);
});
