import { assemble } from "./_wat.ts";

/** Where what lies in the kernel's memory, in bytes. */
export const MEMORY = {
  /** 16 zeros, then 16 times ff: read at `n`, a mask of the last n lanes of a vector. */
  masks: 0,
  /** i32: where the row begins that the kernel left to others, or the end. */
  position: 32,
  /** float64: 10⁰ to 10²², all exact. */
  powersOfTen: 64,
  /** 128 bits, low half first: the first 128 bits of 5^q for q from −64 to 64. */
  powersOfFive: 512,
  /** What the caller lays out: places of the columns, the columns, the text. */
  free: 512 + 129 * 16,
} as const;

/** The text needs as many readable bytes before and behind it as the kernel reads at once. */
export const MARGIN = 32;

/** Powers of ten up to this are exact in float64, and so is every whole number up to 2⁵³. */
const EXACT_POWER = 22, EXACT_WHOLE = 2n ** 53n;

/**
 * Rows of plain numbers: fields of up to 17 characters are read at once, without a loop over their
 * digits. The two halves of a number around its dot are moved together in a vector of 16 digits,
 * which three steps of multiply and add turn into one whole number.
 */
const ROWS = `
(func $rows (export "rows")
  (param $at i32) (param $end i32)        ;; text; its last byte is a line break
  (param $row i32) (param $rowEnd i32)    ;; of the block
  (param $plan i32) (param $planEnd i32)  ;; per field: where its column begins, or 0
  (result i32)                            ;; rows in the block
  (local $start i32) (local $field i32) (local $column i32) (local $stop i32)
  (local $first i32) (local $minus i32) (local $length i32) (local $decimals i32)
  (local $digits i32) (local $hasDot i32) (local $byte i32) (local $whole i64) (local $rowBytes i32)
  (local $vector v128)
  (local.set $start (local.get $at))
  (block $end
    (loop $nextRow
      (br_if $end (i32.ge_u (local.get $row) (local.get $rowEnd)))
      (br_if $end (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $field (local.get $plan))
      (local.set $rowBytes (i32.shl (local.get $row) (i32.const 3)))
      (loop $nextField
        (local.set $column (i32.load (local.get $field)))
        (local.set $field (i32.add (local.get $field) (i32.const 4)))
        (block $read
          (block $slow
            ;; the first byte that is no digit, dot, minus or letter ends the field
            (local.set $stop (i32.bitmaskBelowMinus offset=0))
            (if (i32.eqz (local.get $stop)) (then
              (local.set $stop (i32.shl (i32.bitmaskBelowMinus offset=16) (i32.const 16)))))
            (local.set $stop (i32.add (local.get $at) (i32.ctz (local.get $stop))))
            (local.set $minus (i32.eq (i32.load8_u (local.get $at)) (i32.const ${code("-")})))
            (local.set $length (i32.sub (local.get $stop) (i32.add (local.get $at) (local.get $minus))))
            (br_if $slow (i32.eqz (local.get $column)))
            ;; how many digits stand behind the dot; without a dot all count as standing there
            (local.set $vector (v128.load (i32.sub (local.get $stop) (i32.const 16))))
            (local.set $decimals (i32.sub
              (i32.clz (i8x16.bitmask (i8x16.eq (local.get $vector) ${splat(code("."))})))
              (i32.const 16)))
            (local.set $hasDot (i32.lt_s (local.get $decimals) (local.get $length)))
            (local.set $digits (i32.sub (local.get $length) (local.get $hasDot)))
            (br_if $slow (i32.ge_u (i32.sub (local.get $digits) (i32.const 1)) (i32.const 16)))
            ;; the last 16 digits, the dot left out, zeros before them
            (local.set $vector (v128.and
              (i8x16.sub
                (v128.bitselect
                  (local.get $vector)
                  (v128.load (i32.sub (local.get $stop) (i32.const 17)))
                  (v128.load offset=${MEMORY.masks}
                    (i32.sub (i32.const 16) (i32.and (i32.sub (i32.const 16) (local.get $decimals)) (i32.sub (i32.const 0) (local.get $hasDot))))))
                ${splat(code("0"))})
              (v128.load offset=${MEMORY.masks} (local.get $digits))))
            (br_if $slow (v128.any_true (i8x16.sub_sat_u (local.get $vector) ${splat(9)})))
            ;; 8 numbers of 2 digits, 4 of 4, 2 of 8
            (local.set $vector (i16x8.relaxed_dot_i8x16_i7x16_s (local.get $vector) ${words(0x010a)}))
            (local.set $vector (i32x4.dot_i16x8_s (local.get $vector) ${words(100, 1)}))
            (local.set $vector (i32x4.dot_i16x8_s
              (i16x8.narrow_i32x4_u (local.get $vector) (local.get $vector)) ${words(10000, 1)}))
            (local.set $whole (i64x2.extract_lane 0 (local.get $vector)))
            (local.set $whole (i64.add
              (i64.mul (i64.and (local.get $whole) (i64.const 0xffffffff)) (i64.const 100000000))
              (i64.shr_u (local.get $whole) (i64.const 32))))
            (br_if $slow (i32.wrap_i64 (i64.shr_u (local.get $whole) (i64.const 53))))
            (f64.store (i32.add (local.get $column) (local.get $rowBytes)) (f64.div
              (f64.convert_i64_s (local.get $whole))
              (f64.load offset=${MEMORY.powersOfTen} (i32.shl
                (i32.or
                  (i32.and (local.get $decimals) (i32.sub (i32.const 0) (local.get $hasDot)))
                  (i32.shl (local.get $minus) (i32.const 5)))
                (i32.const 3)))))
            (local.set $byte (i32.load8_u (local.get $stop)))
            (br $read))
          ;; $slow: 
          (br $end)
          )
        (if (i32.eq (local.get $byte) (i32.const ${code(",")})) (then
          (br_if $end (i32.eq (local.get $field) (local.get $planEnd)))
          (local.set $at (i32.add (local.get $stop) (i32.const 1)))
          (br $nextField))))
      (br_if $end (i32.ne (local.get $field) (local.get $planEnd)))
      (if (i32.eq (local.get $byte) (i32.const ${code("\r")})) (then
        (local.set $stop (i32.add (local.get $stop) (i32.const 1)))
        (local.set $byte (i32.load8_u (local.get $stop)))))
      (br_if $end (i32.ne (local.get $byte) (i32.const ${code("\n")})))
      (local.set $at (i32.add (local.get $stop) (i32.const 1)))
      (local.set $start (local.get $at))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $nextRow)))
  (i32.store (i32.const ${MEMORY.position}) (local.get $start))
  (local.get $row))`.replaceAll(
  /\(i32.bitmaskBelowMinus offset=(\d+)\)/g,
  `(i8x16.bitmask (i8x16.lt_s (v128.load offset=$1 (local.get $at)) ${splat(code("-"))}))`,
);

function code(character: string): number {
  return character.charCodeAt(0);
}

function splat(byte: number): string {
  return `(v128.const i8x16 ${Array(16).fill(byte).join(" ")})`;
}

function words(...values: number[]): string {
  const all = Array.from({ length: 8 }, (_, k) => values[k % values.length]);
  return `(v128.const i16x8 ${all.join(" ")})`;
}

let module: WebAssembly.Module | undefined;

/** What the kernel offers. */
export interface CsvKernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly rows: (
    at: number,
    end: number,
    row: number,
    rowEnd: number,
    plan: number,
    planEnd: number,
  ) => number;
}

/** A new kernel with a memory of its own, its tables filled in. */
export function instantiateKernel(): CsvKernel {
  module ??= new WebAssembly.Module(
    assemble(`(module (memory (export "memory") 16) ${ROWS})`),
  );
  const kernel = new WebAssembly.Instance(module).exports as unknown as CsvKernel;
  const view = new DataView(kernel.memory.buffer);
  for (let lane = 16; lane < 32; lane++) view.setUint8(MEMORY.masks + lane, 0xff);
  for (let power = 0; power <= EXACT_POWER; power++) {
    view.setFloat64(MEMORY.powersOfTen + 8 * power, Number(`1e${power}`), true);
    view.setFloat64(MEMORY.powersOfTen + 256 + 8 * power, -Number(`1e${power}`), true);
  }
  return kernel;
}
