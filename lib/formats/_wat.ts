/**
 * Assembles WebAssembly from its text format: the part of it that kernels written by hand need.
 * Functions with named parameters and locals, folded instructions, `block`, `loop` and `if` with
 * labels, one memory; no types, tables, globals, imports or data.
 *
 * Format: WebAssembly Core Specification 2.0, chapters 5 (binary) and 6 (text).
 *
 * @module
 */
type Node = string | Node[];

const TYPES: Record<string, number> = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b };
const EMPTY = 0x40, END = 0x0b, ELSE = 0x05, SIMD = 0xfd;

/** Instructions without immediates; above 0xff: the SIMD prefix and that number without 0x100. */
const PLAIN: Record<string, number> = {
  ...{ return: 0x0f, drop: 0x1a },
  ...{ "i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47, "i32.lt_s": 0x48, "i32.lt_u": 0x49 },
  ...{ "i32.gt_u": 0x4b, "i32.le_u": 0x4d, "i32.ge_u": 0x4f, "i32.clz": 0x67, "i32.ctz": 0x68 },
  ...{ "i32.add": 0x6a, "i32.sub": 0x6b, "i32.mul": 0x6c, "i32.and": 0x71, "i32.or": 0x72 },
  ...{ "i32.shl": 0x74, "i32.shr_s": 0x75, "i32.wrap_i64": 0xa7 },
  ...{ "i64.eqz": 0x50, "i64.eq": 0x51, "i64.lt_u": 0x54, "i64.le_u": 0x58, "i64.ge_u": 0x5a },
  ...{ "i64.clz": 0x79, "i64.add": 0x7c, "i64.sub": 0x7d, "i64.mul": 0x7e, "i64.and": 0x83 },
  ...{ "i64.or": 0x84, "i64.shl": 0x86, "i64.shr_u": 0x88, "i64.extend_i32_u": 0xad },
  ...{ "i64.reinterpret_f64": 0xbd, "f64.mul": 0xa2, "f64.div": 0xa3, "f64.convert_i64_u": 0xba },
  ...{ "v128.and": 0x14e, "v128.bitselect": 0x152, "v128.any_true": 0x153 },
  ...{ "i8x16.eq": 0x123, "i8x16.lt_s": 0x125, "i8x16.bitmask": 0x164, "i8x16.sub": 0x171 },
  ...{ "i8x16.sub_sat_u": 0x173, "i16x8.relaxed_dot_i8x16_i7x16_s": 0x212 },
  ...{ "i16x8.narrow_i32x4_u": 0x186, "i32x4.dot_i16x8_s": 0x1ba },
};

/** Loads and stores: opcode, and log2 of the natural alignment. */
const MEMORY: Record<string, [code: number, align: number]> = {
  ...{ "i32.load": [0x28, 2], "i64.load": [0x29, 3], "f64.load": [0x2b, 3] },
  ...{ "i32.load8_u": [0x2d, 0], "i32.store": [0x36, 2], "i64.store": [0x37, 3] },
  ...{ "f64.store": [0x39, 3], "v128.load": [0x100, 4] },
};

/** Scope of a function body: indices of locals by name, labels from outer to inner. */
interface Scope {
  readonly functions: ReadonlyMap<string, number>;
  readonly locals: ReadonlyMap<string, number>;
  readonly labels: readonly string[];
}

/**
 * The binary of a module in text format.
 *
 * @throws {SyntaxError} for what is not in the part of the format that is understood here
 */
export function assemble(text: string): Uint8Array<ArrayBuffer> {
  const [module, ...more] = parse(text);
  if (!Array.isArray(module) || module[0] !== "module" || more.length > 0) {
    refuse("a module", JSON.stringify(module));
  }
  const fields = module.slice(1) as Node[][];
  const functions = fields.filter(([kind]) => kind === "func");
  const memory = fields.find(([kind]) => kind === "memory");
  const names = new Map(functions.map(([, name], index) => [name as string, index]));
  const exports = functions.flatMap((node, index) =>
    exportsOf(node).map((name) => [...text8(name), 0, ...unsigned(index)])
  );
  if (memory !== undefined) {
    exports.push(...exportsOf(memory).map((name) => [...text8(name), 2, 0]));
  }
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      functions.map((node) => [
        0x60,
        ...vector(typesOf(node, "param").map(({ type }) => [type])),
        ...vector(typesOf(node, "result").map(({ type }) => [type])),
      ]),
    ),
    ...section(3, functions.map((_, index) => unsigned(index))),
    ...(memory === undefined ? [] : section(5, [[0, ...unsigned(Number(memory.at(-1)))]])),
    ...section(7, exports),
    ...section(10, functions.map((node) => body(node, names))),
  ]);
}

function body(node: Node[], functions: Scope["functions"]): number[] {
  const parameters = typesOf(node, "param"), locals = typesOf(node, "local");
  const indices = new Map([...parameters, ...locals].map(({ name }, index) => [name, index]));
  const scope = { functions, locals: indices, labels: [] };
  const declared = new Set(["export", "param", "result", "local"]);
  const code = node.slice(2).filter((part) => !declared.has(part[0] as string));
  const bytes = [
    ...vector(locals.map(({ type }) => [1, type])),
    ...code.flatMap((part) => instruction(part, scope)),
    END,
  ];
  return [...unsigned(bytes.length), ...bytes];
}

function instruction(node: Node, scope: Scope): number[] {
  if (!Array.isArray(node)) refuse("an instruction in parentheses", node);
  const [name, ...rest] = node as [string, ...Node[]];
  const inside = (nodes: Node[], label = "") => {
    const inner = { ...scope, labels: [...scope.labels, label] };
    return nodes.flatMap((part) => instruction(part, inner));
  };
  const operands = (nodes: Node[]) => nodes.flatMap((part) => instruction(part, scope));
  const [first, ...others] = rest;
  switch (name) {
    case "block":
    case "loop":
      return [name === "block" ? 2 : 3, EMPTY, ...inside(others, first as string), END];
    case "if": {
      const [then, otherwise] = others as Node[][];
      const alternative = otherwise === undefined ? [] : [ELSE, ...inside(otherwise.slice(1))];
      return [...operands([first!]), 4, EMPTY, ...inside(then!.slice(1)), ...alternative, END];
    }
    case "br":
    case "br_if": {
      const depth = scope.labels.toReversed().indexOf(first as string);
      if (depth < 0) refuse("a label around it", first);
      return [...operands(others), name === "br" ? 0x0c : 0x0d, ...unsigned(depth)];
    }
    case "local.get":
    case "local.set": {
      const code = name === "local.get" ? 0x20 : 0x21;
      return [...operands(others), code, ...unsigned(indexOf(scope.locals, first))];
    }
    case "call":
      return [...operands(others), 0x10, ...unsigned(indexOf(scope.functions, first))];
    case "i32.const":
      return [0x41, ...signed(BigInt.asIntN(32, BigInt(first as string)))];
    case "i64.const":
      return [0x42, ...signed(BigInt.asIntN(64, BigInt(first as string)))];
    case "v128.const":
      return [SIMD, 12, ...lanes(first as string, others as string[])];
    case "i64x2.extract_lane":
      return [...operands(others), SIMD, 29, Number(first)];
  }
  const memory = MEMORY[name];
  if (memory !== undefined) {
    const isOffset = typeof first === "string";
    const offset = isOffset ? Number(first.replace("offset=", "")) : 0;
    const argument = [memory[1], ...unsigned(offset)];
    return [...operands(isOffset ? others : rest), ...opcode(memory[0]), ...argument];
  }
  const plain = PLAIN[name];
  if (plain === undefined) refuse("an instruction that is known here", name);
  return [...operands(rest), ...opcode(plain)];
}

function opcode(code: number): number[] {
  return code < 0x100 ? [code] : [SIMD, ...unsigned(code - 0x100)];
}

/** The 16 bytes of a vector constant. */
function lanes(shape: string, values: string[]): number[] {
  const numbers = values.map(Number);
  if (shape === "i8x16" && numbers.length === 16) return numbers;
  if (shape === "i16x8" && numbers.length === 8) {
    return [...new Uint8Array(new Uint16Array(numbers).buffer)];
  }
  return refuse("a constant i8x16 or i16x8", `${shape} of ${numbers.length}`);
}

/** The `(param $name type)`, `(local …)` or `(result type)` parts of a function. */
function typesOf(node: Node[], kind: string): { name: string; type: number }[] {
  return node.filter((part) => Array.isArray(part) && part[0] === kind).flatMap((part) => {
    const words = (part as string[]).slice(1);
    const name = words[0]!.startsWith("$") ? words.shift()! : "";
    return words.map((type) => ({ name, type: TYPES[type] ?? refuse("a type", type) }));
  });
}

function exportsOf(node: Node[]): string[] {
  return node.filter((part) => Array.isArray(part) && part[0] === "export")
    .map((part) => JSON.parse(part[1] as string) as string);
}

function indexOf(names: ReadonlyMap<string, number>, name: Node | undefined): number {
  return names.get(name as string) ?? refuse("a name that was declared", String(name));
}

/** Nested lists of words; `;;` begins a comment. */
function parse(text: string): Node[] {
  const root: Node[] = [], open: Node[][] = [root];
  for (const [word] of text.replaceAll(/;;.*/g, "").matchAll(/[()]|"[^"]*"|[^\s()]+/g)) {
    if (word === "(") {
      const list: Node[] = [];
      open.at(-1)!.push(list);
      open.push(list);
    } else if (word === ")") {
      open.pop();
      if (open.length === 0) refuse("a parenthesis that was opened", ")");
    } else open.at(-1)!.push(word);
  }
  if (open.length > 1) refuse("every parenthesis closed", `${open.length - 1} open`);
  return root;
}

function section(id: number, items: number[][]): number[] {
  const content = vector(items);
  return items.length === 0 ? [] : [id, ...unsigned(content.length), ...content];
}

function vector(items: number[][]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text8(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...unsigned(bytes.length), ...bytes];
}

/** LEB128 without sign. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [value % 0x80 | 0x80, ...unsigned(Math.floor(value / 0x80))];
}

/** LEB128 with sign. */
function signed(value: bigint): number[] {
  const low = Number(value & 0x7fn), rest = value >> 7n;
  const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}

function refuse(should: string, current: unknown): never {
  throw new SyntaxError(
    `Cannot assemble: ${should} should stand here, current value is ${current}.`,
  );
}
