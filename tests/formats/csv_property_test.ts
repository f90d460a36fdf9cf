import assert from "node:assert/strict";
import { parse as parseStrictly } from "csv-parse/sync";
import fc from "fast-check";
import { parseCsv } from "../../lib/formats/mod.ts";
import { seeded } from "./_seeded.ts";

/** The columns as csv-parse and Number() read them. */
function oracle(text: string, trim: boolean): Map<string, number[]> {
  // Blank last lines hold no row; csv-parse would see rows of one empty field in some of them.
  const rows = parseStrictly(text.replace(/(\r?\n[ \t]*)*\r?$/, ""), {
    bom: true,
    ltrim: trim,
    rtrim: trim,
    record_delimiter: ["\r\n", "\n"],
  }) as string[][];
  const [header, ...records] = rows;
  return new Map(header!.map((name, k) => [name, records.map((row) => numberOf(row[k]!))]));
}

function numberOf(text: string): number {
  const word = /^([+-]?)(inf|infinity)$/i.exec(text);
  if (word !== null) return word[1] === "-" ? -Infinity : Infinity;
  return text === "" ? NaN : Number(text);
}

const decimal = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.tuple(fc.double({ min: -2e9, max: 2e9, noNaN: true }), fc.nat(12))
    .map(([value, decimals]) => value.toFixed(decimals)),
  fc.stringMatching(/^[+-]?\d{1,25}(\.\d{0,25})?([eE][+-]?\d{1,3})?$/),
  fc.stringMatching(/^[+-]?\.\d{1,25}$/),
);

Deno.test("any decimal text is read as by Number()", () => {
  fc.assert(
    fc.property(fc.array(decimal, { minLength: 1, maxLength: 40 }), (texts) => {
      const { columns } = parseCsv(new TextEncoder().encode(`x\n${texts.join("\n")}\n`), {
        nan: "keep",
      });
      texts.forEach((text, k) => assert(Object.is(columns.x![k], Number(text)), text));
    }),
    { numRuns: 2000, seed: 1 },
  );
});

Deno.test("300,000 numbers near the middle between two doubles are rounded as by Number()", () => {
  const random = seeded(2);
  const texts = Array.from({ length: 300_000 }, (_, k) => {
    const odd = (2n ** 53n + BigInt(random.below(2 ** 53))) * 2n + 1n + BigInt(random.below(3) - 1);
    if (k % 3 === 0) return String(odd);
    if (k % 3 === 1) return `${odd}e${random.below(60) - 30}`;
    return String((random.next() - 0.5) * 10 ** (random.below(30) - 15));
  });
  const { columns } = parseCsv(new TextEncoder().encode(`x\n${texts.join("\n")}\n`));
  const x = columns.x!;
  for (let k = 0; k < texts.length; k++) {
    if (!Object.is(x[k], Number(texts[k]))) assert.fail(`${texts[k]} was read as ${x[k]}`);
  }
});

const space = fc.constantFrom("", "", "", " ", "\t", "  ");
const field = fc.tuple(decimal, space, space, fc.boolean())
  .map(([text, before, behind, quote]) => before + (quote ? `"${text}"` : text) + behind);
const table = fc.integer({ min: 1, max: 6 }).chain((width) =>
  fc.record({
    header: fc.uniqueArray(fc.stringMatching(/^[a-z, "_äβ]{1,8}$/), {
      minLength: width,
      maxLength: width,
      selector: (name) => name.trim(),
    }),
    rows: fc.array(
      fc.tuple(
        fc.array(field, { minLength: width, maxLength: width }),
        fc.constantFrom("\n", "\r\n"),
      ),
      { maxLength: 12 },
    ),
    hasEnd: fc.boolean(),
  })
);

Deno.test("whatever is right is read, and as csv-parse reads it", () => {
  fc.assert(
    fc.property(table, ({ header, rows, hasEnd }) => {
      const names = header.map((name) => `"${name.replaceAll('"', '""')}"`).join(",");
      const lines = rows.map(([fields, end]) => fields.join(",") + end).join("");
      const text = `${names}\n${lines}`.replace(hasEnd ? /$^/ : /\r?\n$/, "");
      const { columns } = parseCsv(new TextEncoder().encode(text), { nan: "keep" });
      assert.deepEqual(
        new Map(Object.entries(columns).map(([name, array]) => [name, [...array!]])),
        oracle(text, true),
      );
    }),
    { numRuns: 400, seed: 3 },
  );
});

const HEADER = "recv_timestamp,force_placeholder,joint_1,pose_x";
const BASES = [
  `${HEADER}\n1761551500.174321,0.0,-0.00123,190.5\n1761551500.184412,0.0,1.5e-05,189.93\n`,
  `\uFEFF${HEADER}\r\n 1, 2, 3,   4\r\n"5",6,"7.5",8\r\n9,10,11,12\r\n\r\n`,
  `"recv, ""t""",b\n0.10000000149011612,-inf\nnan,\n1e5,123456789012345678\n`,
  `a,note\n1,"x\ny"\n2,plain text\n3,\n`,
  `a\n1\n2\n3\n`,
];
const PIECES = [
  ...["\n", "\r", "\r\n", ",", '"', '""', " ", "\t", "-", "+", ".", "e", "E5", "0", "9", "\0"],
  ...[
    "nan",
    "inf",
    "_",
    "1e400",
    "ÿ",
    "\uFEFF",
    ",,",
    "\n\n",
    '"\n"',
    ";",
    "0x1",
    "12345678901234567",
  ],
];

Deno.test("24,000 damaged files are refused, or read as csv-parse reads them", () => {
  const random = seeded(4);
  let accepted = 0;
  for (let run = 0; run < 24_000; run++) {
    const bytes = damaged(BASES[run % BASES.length]!, random);
    const trim = random.below(4) > 0;
    const options = {
      empty: random.below(2) === 0 ? "error" : "nan",
      nan: random.below(2) === 0 ? "error" : "keep",
      trim,
    } as const;
    let table: ReturnType<typeof parseCsv>;
    try {
      const wanted = run % BASES.length === 3 ? { columns: ["a"] } : {};
      table = parseCsv(bytes, { ...options, ...wanted });
    } catch (error) {
      assert(error instanceof SyntaxError, String((error as Error).stack));
      assert.match(error.message, /^Cannot read CSV text at line \d+(, column \d+)?/);
      continue;
    }
    accepted++;
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const expected = oracle(text, trim);
    assert.deepEqual(table.header, [...expected.keys()]);
    for (const [name, column] of Object.entries(table.columns)) {
      assert.deepEqual([...column!], expected.get(name), JSON.stringify(text));
      if (options.nan === "error" && options.empty === "error") {
        assert(column!.every(Number.isFinite), JSON.stringify(text));
      }
    }
  }
  assert(accepted > 4000 && accepted < 20_000, `${accepted} accepted`);
});

function damaged(base: string, random: ReturnType<typeof seeded>): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  let bytes: Uint8Array<ArrayBuffer> = encoder.encode(base);
  for (let times = random.below(3); times >= 0; times--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(5)) {
      case 0: // a piece more
        bytes = joined(
          bytes.subarray(0, at),
          encoder.encode(PIECES[random.below(PIECES.length)]),
          bytes.subarray(at),
        );
        break;
      case 1: // some bytes less
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(4)));
        break;
      case 2: // cut short
        bytes = bytes.slice(0, at);
        break;
      case 3: // another byte
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      default: // a piece of it twice
        bytes = joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random.below(30))));
    }
  }
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
