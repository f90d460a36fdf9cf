import assert from "node:assert/strict";
import { readCsv, readCsvBlocks } from "../../lib/formats/mod.ts";
import { temporaryPath } from "../_temporary.ts";

Deno.test("blocks join to what readCsv reads, and hold no more rows than asked for", () => {
  const path = temporaryPath("long.csv");
  const rows = 30_011;
  // Rows of all kinds, so that rows of all kinds lie across the edges of the reads.
  const lines = Array.from({ length: rows }, (_, k) => {
    const x = (k * 0.37).toFixed(k % 9), s = Math.sin(k);
    const note = k % 11 === 0 ? '"a, ""b""\n"' : "ok";
    return k % 13 === 0 ? ` ${k} ,"${x}", ${s}\t,${note}` : `${k},${x},${s},${note}`;
  });
  Deno.writeTextFileSync(path, `k,x,s,note\n${lines.join("\r\n")}`);
  const { columns, rows: read } = readCsv(path, { columns: ["k", "x", "s"] });
  assert.equal(read, rows);
  for (let k = 0; k < rows; k++) {
    assert.equal(columns.k[k], k);
    assert.equal(columns.x[k], Number((k * 0.37).toFixed(k % 9)));
    assert.equal(columns.s[k], Math.sin(k));
  }
  for (const blockRows of [1000, 7, rows, rows + 1, undefined]) {
    let at = 0, largest = 0;
    const options = blockRows === undefined ? {} : { blockRows };
    for (const block of readCsvBlocks(path, { columns: ["s"], ...options })) {
      assert.equal(block.firstRow, at);
      assert.deepEqual(block.columns.s, columns.s.slice(at, at + block.rows));
      at += block.rows;
      largest = Math.max(largest, block.rows);
    }
    assert.equal(at, rows);
    assert.equal(largest, Math.min(blockRows ?? rows, rows));
  }
});

Deno.test("blocks tell of an empty file, of a torn line in the last one, and of a bad blockRows", () => {
  const path = temporaryPath("short.csv");
  Deno.writeTextFileSync(path, "a\n");
  assert.deepEqual([...readCsvBlocks(path)].map(({ rows }) => rows), [0]);
  Deno.writeTextFileSync(path, "a\n1\n2\n3\n4\n5");
  const torn = [...readCsvBlocks(path, { blockRows: 2, tornLastLine: "drop" })];
  assert.deepEqual(torn.map(({ tornLastLine }) => tornLastLine), [false, true]);
  for (const blockRows of [0, -1, 1.5, NaN, 2 ** 40]) {
    assert.throws(() => readCsvBlocks(path, { blockRows }).next(), RangeError);
  }
});
