import assert from "node:assert/strict";
import { parseCsv } from "../../lib/formats/mod.ts";

type Options = NonNullable<Parameters<typeof parseCsv>[1]>;

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string, options: Options = {}) =>
  parseCsv(bytes(text), { name: "t.csv", ...options });

/** Columns as plain arrays. */
function values(text: string, options: Options = {}): Record<string, number[]> {
  const { columns } = parse(text, options);
  return Object.fromEntries(Object.entries(columns).map(([name, array]) => [name, [...array!]]));
}

function refuses(text: string | Uint8Array, expected: string, options: Options = {}) {
  const data = typeof text === "string" ? bytes(text) : text;
  assert.throws(() => parseCsv(data, { name: "t.csv", ...options }), (error) => {
    assert(error instanceof SyntaxError, String(error));
    assert.equal(error.message, expected);
    return true;
  });
}

Deno.test("a plain file becomes a column of float64 per name", () => {
  const table = parse("a,b\n1,2\n3,4.5\n");
  assert.deepEqual(table, {
    header: ["a", "b"],
    rows: 2,
    columns: { a: new Float64Array([1, 3]), b: new Float64Array([2, 4.5]) },
    tornLastLine: false,
  });
});

Deno.test("line ends may be mixed, a byte order mark and blank last lines count for nothing", () => {
  const expected = { a: [1, 3, 5], b: [2, 4, 6] };
  for (const end of ["", "\n", "\r\n", "\r", "\n\n  \r\n\t\n"]) {
    assert.deepEqual(values(`\uFEFFa,b\r\n1,2\n3,4\r\n5,6${end}`), expected);
  }
});

Deno.test("spaces and tabs around values and names count for nothing, unless told otherwise", () => {
  const padded = " time,  joint 1\t\n   1200512000,   3.1e-05\n\t2 ,\t-4.5e-05 \n";
  const expected = { "time": [1200512000, 2], "joint 1": [3.1e-5, -4.5e-5] };
  assert.deepEqual(values(padded), expected);
  refuses(
    "a,b\n1, 2\n",
    't.csv at line 2, column 2 ("b"): it should be a number, current value is " 2".'
      .replace(/^/, "Cannot read "),
    { trim: false },
  );
});

Deno.test("every number is what Number() makes of it", () => {
  const texts = [
    ...["0", "-0", "+7", "5.", ".5", "-.25", "00012.50", "1e5", "1E-5", "2.5e+3", "1e22", "1e23"],
    ...["1761551500.174321", "9007199254740993", "9007199254740992.5", "12345678901234567"],
    ...["12345678901234567890123", "0.1", "0.30000000000000004", "0.10000000149011612"],
    ...["5e-324", "2.4703282292062327e-324", "1.7976931348623157e308", "2.2250738585072014e-308"],
    ...["0.000000000000000000000000000000000000123", "1e-400", "-1e-400", "4503599627370497.5"],
    ...[`1${"0".repeat(300)}`, `0.${"0".repeat(300)}1`, "8.442911973260991817129021e-309"],
  ];
  const { x } = values(`x\n${texts.join("\n")}\n`);
  texts.forEach((text, k) => assert(Object.is(x![k], Number(text)), `${text}: ${x![k]}`));
});

Deno.test("what is no decimal number is refused, with line, column, name and text", () => {
  const texts = [
    ...["1_000", "0x10", "1e", "e5", "1,5".replace(",", ";"), ".", "-", "+", "--1", "1.2.3"],
    ...["1 2", "1e5.5", "1e+", "NULL", "true", "١", "1f", "1.5.", "+-1", "Infinit", "1d5", "0b1"],
  ];
  for (const text of texts) {
    refuses(
      `a,pose_x\n1,2\n3,${text}\n`,
      `Cannot read t.csv at line 3, column 2 ("pose_x"): it should be a number, current value is ` +
        `${JSON.stringify(text)}.`,
    );
  }
});

Deno.test("NaN and infinities are refused, or kept when asked", () => {
  const texts = ["nan", "NaN", "inf", "-inf", "Infinity", "-Infinity", "+INF", "1e999"];
  const text = `x\n${texts.join("\n")}\n`;
  const expected = [NaN, NaN, Infinity, -Infinity, Infinity, -Infinity, Infinity, Infinity];
  assert.deepEqual(values(text, { nan: "keep" }), { x: expected });
  for (const bad of texts) {
    refuses(
      `x\n${bad}\n`,
      `Cannot read t.csv at line 2, column 1 ("x"): it should be a finite number, current value ` +
        `is "${bad}". Pass {nan: "keep"} to read NaN and infinities.`,
    );
  }
});

Deno.test("an empty field is refused, or NaN when asked", () => {
  assert.deepEqual(values('a,b\n,2\n3, \n"",5\n', { empty: "nan" }), {
    a: [NaN, 3, NaN],
    b: [2, NaN, 5],
  });
  refuses(
    "a,b\n1,\n",
    'Cannot read t.csv at line 2, column 2 ("b"): it should be a number, current value is an ' +
      'empty field. Pass {empty: "nan"} to read empty fields as NaN.',
  );
});

Deno.test("quotes may stand around names and numbers, and hold commas and line breaks", () => {
  const text = '"a, left","say ""hi""", c ,note\n"1", "-2e3" ,3,"x, ""y""\nz"\n4,5,6,plain\n';
  const { columns } = parse(text, { columns: ["a, left", 'say "hi"', "c"] });
  assert.deepEqual({ ...columns }, {
    "a, left": new Float64Array([1, 4]),
    'say "hi"': new Float64Array([-2000, 5]),
    c: new Float64Array([3, 6]),
  });
  refuses(
    'a,note\n1,"x\ny"\n2,"z\n',
    'Cannot read t.csv at line 4, column 2 ("note"): the quote that begins here should be ' +
      'closed, current value is "\\"z".',
    { columns: ["a"] },
  );
  refuses(
    'a,b\n1,2"3\n',
    'Cannot read t.csv at line 2, column 2 ("b"): a quote may only stand around a whole field, ' +
      'current value is "2\\"3".',
  );
  refuses(
    'a,b\n"1"x,2\n',
    'Cannot read t.csv at line 2, column 1 ("a"): a closing quote should be followed by a comma ' +
      'or the end of the line, current value is "\\"1\\"x,2".',
  );
});

Deno.test("only the columns that are wanted are read, but all rows must fit the header", () => {
  const text = "t,text,x,y\n1,hello,2,\n3,wörld \\,4,nan\n";
  const { columns, header } = parseCsv(bytes(text), {
    columns: ["x", "t"],
    optionalColumns: ["y2", "x"],
  });
  assert.deepEqual(columns, { x: new Float64Array([2, 4]), t: new Float64Array([1, 3]) });
  assert.deepEqual(header, ["t", "text", "x", "y"]);
  assert.equal(columns.t[1], 3); // a wanted column is there for the type checker too
  for (const [row, count] of [["1,a,2", 3], ["1,a,2,3,4", 5], ["1", 1]] as const) {
    refuses(
      `t,text,x,y\n1,a,2,3\n${row}\n1,a,2,3\n`,
      `Cannot read t.csv at line 3: it should have 4 fields like the header, current value is ` +
        `${count}.`,
      { columns: ["t"] },
    );
  }
});

Deno.test("a missing column is refused with the names that are there and the nearest", () => {
  refuses(
    "recv_timestamp,pose_x\n1,2\n",
    'Cannot read t.csv at line 1: it should have the columns "pose_z", "q", current value is the ' +
      'header "recv_timestamp", "pose_x". Did you mean "pose_x"?',
    { columns: ["pose_z", "recv_timestamp", "q"] },
  );
  refuses(
    "a;b\n1;2\n",
    'Cannot read t.csv at line 1: it should have the column "b", current value is the header ' +
      '"a;b". Fields should be separated by commas.',
    { columns: ["b"] },
  );
});

Deno.test("a header that is double, broken or not there is refused", () => {
  refuses(
    "a,b, a\n1,2,3\n",
    "Cannot read t.csv at line 1, column 3: no two columns should have the same name, current " +
      'value is "a". Column 1 has it too: rename one of them.',
  );
  refuses("", "Cannot read t.csv at line 1: a header should stand here, current value is 0 bytes.");
  refuses(
    "\na\n1\n",
    "Cannot read t.csv at line 1: a header should stand here, current value is a blank line.",
  );
  refuses(
    "a,b\r1,2\r3,4\r",
    "Cannot read t.csv at line 1, column 2: the name of a column should hold no control characters, " +
      'current value is "b\\r1". Lines should end in \\n or \\r\\n.',
  );
  refuses(
    new Uint8Array([0x61, 0xff, 0x0a]),
    "Cannot read t.csv at line 1, column 1: the name of a column should be UTF-8, current value " +
      'is "aÿ".',
  );
});

Deno.test("UTF-16 and NUL bytes are refused", () => {
  const utf16 = (text: string) =>
    new Uint8Array(Uint16Array.from([...text], (c) => c.charCodeAt(0)).buffer);
  refuses(
    utf16("\uFEFFa,b\n"),
    "Cannot read t.csv at line 1: it should be UTF-8, current value is UTF-16. Save it anew.",
  );
  const hint = "Is the file UTF-16? Was the power cut while it was written?";
  refuses(
    utf16("a,b\n"),
    `Cannot read t.csv at line 1, column 1: text should stand here, current value is a NUL byte. ${hint}`,
  );
  for (
    const [row, column] of [["\0,2", '1 ("a")'], ["1,\0", '2 ("text")'], ['1,"\0"', '2 ("text")']]
  ) {
    refuses(
      `a,text\n1,x\n${row}\n`,
      `Cannot read t.csv at line 3, column ${column}: text should stand here, current value is a ` +
        `NUL byte. ${hint}`,
      { columns: ["a"] },
    );
  }
});

Deno.test("a blank line between rows is refused", () => {
  refuses(
    "a\n1\n \n\n2\n",
    "Cannot read t.csv at line 3: a row should stand here, current value is a blank line. Blank " +
      "lines may only stand at the end.",
  );
});

Deno.test("a last line that was cut short is refused, or left out and reported", () => {
  const whole = "a,b\n1,2\n3,44\n";
  const hint = 'The file was cut short: its last line has no end. Pass {tornLastLine: "drop"} to ' +
    "leave that line out.";
  refuses(
    "a,b\n1,2\n3",
    `Cannot read t.csv at line 3: it should have 2 fields like the header, current value is 1. ${hint}`,
  );
  refuses(
    "a,b\n1,2\n3,-",
    `Cannot read t.csv at line 3, column 2 ("b"): it should be a number, current value is "-". ${hint}`,
  );
  for (let length = 4; length <= whole.length; length++) {
    const { rows, tornLastLine } = parse(whole.slice(0, length), { tornLastLine: "drop" });
    assert.equal(rows, length < 8 ? 0 : length < 13 ? 1 : 2);
    assert.equal(tornLastLine, ![4, 8, 13].includes(length), `length ${length}`);
  }
  const quoted = parse('a,b\n1,2\n3,"4', { tornLastLine: "drop" });
  assert.deepEqual([quoted.rows, quoted.tornLastLine], [1, true]);
  refuses(
    'a,b\n1,"2\n3,4\n5,6',
    'Cannot read t.csv at line 2, column 2 ("b"): the quote that begins here should be closed, ' +
      'current value is "\\"2".',
    { tornLastLine: "drop" },
  );
});

Deno.test("names that objects inherit are columns like others", () => {
  const { columns } = parse("__proto__,constructor\n1,2\n");
  assert.deepEqual(Object.entries(columns).map(([name, [x]]) => [name, x]), [
    ["__proto__", 1],
    ["constructor", 2],
  ]);
});

Deno.test("a record larger than any row ends the reading, in bounded memory", () => {
  const huge = new Uint8Array(17 * 2 ** 20).fill(0x78);
  huge.set(bytes('a\n1\n"'));
  assert.throws(() => parseCsv(huge), /at line 3: a row should be shorter than 16777216 bytes/);
  huge.fill(0x78, 4, 5);
  assert.throws(() => parseCsv(huge), /at line 3: a row should be shorter/);
});

Deno.test("a row longer than the first read is read whole", () => {
  const names = Array.from({ length: 60_000 }, (_, k) => `c${k}`);
  const { columns } = parse(`${names.join(",")}\n${names.map((_, k) => k / 8).join(",")}\n`);
  names.forEach((name, k) => assert.equal(columns[name]![0], k / 8));
});
