import { assemble } from "./_wat.ts";
import { byte, MEMORY, NUMBER } from "./_csv_kernel_number.ts";

/** As many bytes before and behind the text are readable, and mean nothing. */
export const MARGIN = 64;

/**
 * Rows of numbers. Plain ones, of up to 16 digits, are read at once without a loop over digits: the
 * digits before and behind the dot are moved together in a vector, which three steps of multiply
 * and add turn into one whole number. For others `$number` is called; where that fails too, the
 * row is left to the caller.
 */
const ROWS = `
(func $rows (export "rows")
  (param $at i32) (param $end i32)        ;; text; its last byte is a line break
  (param $row i32) (param $rowEnd i32)    ;; of the block
  (param $plan i32) (param $planEnd i32)  ;; per field: where its column begins, or 0
  (param $trim i32)
  (result i32)                            ;; rows in the block
  (local $start i32) (local $field i32) (local $target i32) (local $stop i32) (local $byte i32)
  (local $minus i32) (local $length i32) (local $digits i32)
  (local $decimals i32) (local $hasDot i32) ;; hasDot: all bits set or none
  (local $vector v128) (local $whole i64)
  (block $end
    (loop $nextRow
      (local.set $start (local.get $at))
      (br_if $end (i32.ge_u (local.get $row) (local.get $rowEnd)))
      (br_if $end (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $field (local.get $plan))
      (loop $nextField
        (block $read
          (block $ignored
            (block $notPlain
              ;; the first byte below "-": a comma, a line break, or what makes it not plain
              (local.set $stop ${bytesBelowMinus(0)})
              (if (i32.eqz (local.get $stop)) (then
                (local.set $stop (i32.shl ${bytesBelowMinus(16)} (i32.const 16)))))
              (local.set $stop (i32.add (local.get $at) (i32.ctz (local.get $stop))))
              (local.set $target (i32.load (local.get $field)))
              (br_if $ignored (i32.eqz (local.get $target)))
              (local.set $target
                (i32.add (local.get $target) (i32.shl (local.get $row) (i32.const 3))))
              (local.set $minus (i32.eq (i32.load8_u (local.get $at)) ${byte("-")}))
              (local.set $length
                (i32.sub (local.get $stop) (i32.add (local.get $at) (local.get $minus))))
              (local.set $vector (v128.load (i32.sub (local.get $stop) (i32.const 16))))
              ;; how many of the last 16 bytes stand behind the last dot; 17 if there is none
              (local.set $decimals (i32.sub
                (i32.clz (i32.shl
                  (i8x16.bitmask (i8x16.eq (local.get $vector) ${bytes(".")}))
                  (i32.const 1)))
                (i32.const 15)))
              (local.set $hasDot (i32.sub
                (i32.const 0)
                (i32.lt_s (local.get $decimals) (local.get $length))))
              (local.set $digits (i32.add (local.get $length) (local.get $hasDot)))
              (br_if $notPlain
                (i32.ge_u (i32.sub (local.get $digits) (i32.const 1)) (i32.const 16)))
              ;; the digits without the dot, right-aligned, zeros before them
              (local.set $vector (v128.and
                (i8x16.sub
                  (v128.bitselect
                    (local.get $vector)
                    (v128.load (i32.sub (local.get $stop) (i32.const 17)))
                    (v128.load offset=${MEMORY.masks} (i32.sub (i32.const 16) (i32.and
                      (i32.sub (i32.const 16) (local.get $decimals))
                      (local.get $hasDot)))))
                  ${bytes("0")})
                (v128.load offset=${MEMORY.masks} (local.get $digits))))
              (br_if $notPlain (v128.any_true (i8x16.sub_sat_u (local.get $vector) ${bytes(9)})))
              ;; 8 numbers of 2 digits, 4 of 4, 2 of 8, 1 of 16
              (local.set $vector
                (i16x8.relaxed_dot_i8x16_i7x16_s (local.get $vector) ${bytes(10, 1)}))
              (local.set $vector (i32x4.dot_i16x8_s (local.get $vector) ${words(100, 1)}))
              (local.set $vector (i32x4.dot_i16x8_s
                (i16x8.narrow_i32x4_u (local.get $vector) (local.get $vector))
                ${words(10_000, 1)}))
              (local.set $whole (i64x2.extract_lane 0 (local.get $vector)))
              (local.set $whole (i64.add
                (i64.mul (i64.and (local.get $whole) (i64.const 0xffffffff)) (i64.const 100000000))
                (i64.shr_u (local.get $whole) (i64.const 32))))
              ;; whole numbers below 2^53 are exact, powers of ten too, so one rounding is right
              (br_if $notPlain (i32.wrap_i64 (i64.shr_u (local.get $whole) (i64.const 53))))
              (f64.store (local.get $target) (f64.div
                (f64.convert_i64_u (local.get $whole))
                (f64.load offset=${MEMORY.powersOfTen} (i32.shl
                  (i32.or
                    (i32.and (local.get $decimals) (local.get $hasDot))
                    (i32.shl (local.get $minus) (i32.const 5)))
                  (i32.const 3)))))
              (local.set $byte (i32.load8_u (local.get $stop)))
              (br_if $read (i32.eq (local.get $byte) ${byte(",")}))
              (br_if $read (i32.le_u (local.get $byte) ${byte("\r")})))
            ;; $notPlain
            (local.set $stop
              (call $number (local.get $at) (local.get $target) (local.get $trim)))
            (br_if $end (i32.eqz (local.get $stop)))
            (local.set $byte (i32.load8_u (local.get $stop)))
            (br $read))
          ;; $ignored
          (loop $skip
            (local.set $byte (i32.load8_u (local.get $stop)))
            (br_if $read (i32.eq (local.get $byte) ${byte(",")}))
            (br_if $read (i32.eq (local.get $byte) ${byte("\n")}))
            (br_if $end (i32.eq (local.get $byte) ${byte('"')}))
            (br_if $end (i32.eqz (local.get $byte)))
            (local.set $stop (i32.add (local.get $stop) (i32.const 1)))
            (br $skip)))
        (local.set $at (i32.add (local.get $stop) (i32.const 1)))
        (local.set $field (i32.add (local.get $field) (i32.const 4)))
        (if (i32.eq (local.get $byte) ${byte(",")}) (then
          (br_if $end (i32.eq (local.get $field) (local.get $planEnd)))
          (br $nextField))))
      (br_if $end (i32.ne (local.get $field) (local.get $planEnd)))
      (if (i32.eq (local.get $byte) ${byte("\r")}) (then
        (local.set $byte (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))))
      (br_if $end (i32.ne (local.get $byte) ${byte("\n")}))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $nextRow)))
  (i32.store (i32.const ${MEMORY.position}) (local.get $start))
  (local.get $row))`;

/** One bit for each of 16 bytes that is less than "-" or not ASCII. */
function bytesBelowMinus(offset: number): string {
  return `(i8x16.bitmask
    (i8x16.lt_s (v128.load offset=${offset} (local.get $at)) ${bytes("-")}))`;
}

/** 16 bytes, the given ones over and over. */
function bytes(...values: (number | string)[]): string {
  const codes = values.map((value) => typeof value === "string" ? value.charCodeAt(0) : value);
  return `(v128.const i8x16 ${
    Array.from({ length: 16 }, (_, k) => codes[k % codes.length]).join(" ")
  })`;
}

/** 8 numbers of 16 bits, the given ones over and over. */
function words(...values: number[]): string {
  return `(v128.const i16x8 ${
    Array.from({ length: 8 }, (_, k) => values[k % values.length]).join(" ")
  })`;
}

/** What the kernel offers. */
export interface CsvKernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /** Parameters as in the text above. */
  readonly rows: (
    at: number,
    end: number,
    row: number,
    rowEnd: number,
    plan: number,
    planEnd: number,
    trim: number,
  ) => number;
}

let module: WebAssembly.Module | undefined;

/** A new kernel with a memory of its own, its tables filled in. */
export function instantiateKernel(): CsvKernel {
  module ??= new WebAssembly.Module(
    assemble(`(module (memory (export "memory") 16) ${NUMBER} ${ROWS})`),
  );
  const kernel = new WebAssembly.Instance(module).exports as unknown as CsvKernel;
  fillTables(new DataView(kernel.memory.buffer));
  return kernel;
}

function fillTables(view: DataView): void {
  for (let lane = 16; lane < 32; lane++) view.setUint8(MEMORY.masks + lane, 0xff);
  for (let power = 0; power <= 22; power++) {
    view.setFloat64(MEMORY.powersOfTen + 8 * power, Number(`1e${power}`), true);
    view.setFloat64(MEMORY.powersOfTen + 8 * (32 + power), Number(`-1e${power}`), true);
  }
  for (let power = -64; power <= 64; power++) {
    const leading = leadingBitsOfPowerOfFive(power);
    const at = MEMORY.powersOfFive + 16 * (power + 64);
    view.setBigUint64(at, leading & (2n ** 64n - 1n), true);
    view.setBigUint64(at + 8, leading >> 64n, true);
  }
}

/** The first 128 bits of 5^power; of a negative power rounded up. */
export function leadingBitsOfPowerOfFive(power: number): bigint {
  const whole = 5n ** BigInt(Math.abs(power));
  const bits = BigInt(whole.toString(2).length);
  if (power >= 0) return bits <= 128n ? whole << (128n - bits) : whole >> (bits - 128n);
  return (2n ** (bits + 127n)) / whole + 1n;
}
