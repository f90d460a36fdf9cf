/**
 * The kernel's way for numbers that are not plain: spaces around, a plus sign, exponents, up to 19
 * digits.
 *
 * @module
 */

/** Where what lies in the kernel's memory, in bytes. */
export const MEMORY = {
  /** 16 zeros, then 16 times ff: read at `n`, a mask of the last n lanes of a vector. */
  masks: 0,
  /** i32: where the row begins that the kernel did not read. */
  position: 32,
  /** float64: 10⁰ to 10²², all exact, and from index 32 on the same with a minus. */
  powersOfTen: 64,
  /** 128 bits each, low half first: the first 128 bits of 5⁻⁶⁴ to 5⁶⁴. */
  powersOfFive: 512,
  /** Free for the caller: plan, columns, text. */
  free: 512 + 129 * 16,
} as const;

/** A character as a constant. */
export function byte(character: string): string {
  return `(i32.const ${character.charCodeAt(0)})`;
}

const here = "(i32.load8_u (local.get $at))";
const step = "(local.set $at (i32.add (local.get $at) (i32.const 1)))";

/** Moves on while the byte here fulfils the condition. */
function skipWhile(label: string, condition: string): string {
  return `(loop ${label} (if ${condition} (then ${step} (br ${label}))))`;
}

const skipSpaces = (label: string) =>
  `(if (local.get $trim) (then ${
    skipWhile(label, `(i32.or (i32.eq ${here} ${byte(" ")}) (i32.eq ${here} ${byte("\t")}))`)
  }))`;

/**
 * Digits into `$whole`, by eight where eight stand together (D. Lemire, "Quickly parsing eight
 * digits", 2018), then one by one.
 */
const readDigits = (label: string) => `
  (loop ${label}8
    (local.set $word (i64.load (local.get $at)))
    (if (i64.eq
      (i64.or
        (i64.and (local.get $word) (i64.const 0xf0f0f0f0f0f0f0f0))
        (i64.shr_u
          (i64.and
            (i64.add (local.get $word) (i64.const 0x0606060606060606))
            (i64.const 0xf0f0f0f0f0f0f0f0))
          (i64.const 4)))
      (i64.const 0x3333333333333333)) (then
        (local.set $word (i64.sub (local.get $word) (i64.const 0x3030303030303030)))
        (local.set $word (i64.add
          (i64.mul (local.get $word) (i64.const 10))
          (i64.shr_u (local.get $word) (i64.const 8))))
        (local.set $word (i64.shr_u
          (i64.add
            (i64.mul
              (i64.and (local.get $word) (i64.const 0x000000ff000000ff))
              (i64.const 0x000f424000000064))
            (i64.mul
              (i64.and
                (i64.shr_u (local.get $word) (i64.const 16))
                (i64.const 0x000000ff000000ff))
              (i64.const 0x0000271000000001)))
          (i64.const 32)))
        (local.set $whole (i64.add
          (i64.mul (local.get $whole) (i64.const 100000000))
          (local.get $word)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br ${label}8))))
  (loop ${label}
    (local.set $digit (i32.sub ${here} ${byte("0")}))
    (if (i32.lt_u (local.get $digit) (i32.const 10)) (then
      (local.set $whole (i64.add
        (i64.mul (local.get $whole) (i64.const 10))
        (i64.extend_i32_u (local.get $digit))))
      ${step}
      (br ${label}))))`;

const NUMBER_TEXT = `
(func $number
  (param $at i32)       ;; text
  (param $target i32)   ;; where the float64 goes
  (param $trim i32)
  (result i32)          ;; where the number and the spaces behind it end; 0: not a number for here
  (local $minus i32) (local $mark i32) (local $first i32) (local $count i32) (local $power i32)
  (local $digit i32) (local $exponent i32) (local $down i32) (local $word i64) (local $whole i64)
  ${skipSpaces("$before")}
  (local.set $minus (i32.eq ${here} ${byte("-")}))
  (if (i32.or (local.get $minus) (i32.eq ${here} ${byte("+")})) (then ${step}))
  (local.set $mark (local.get $at))
  ${skipWhile("$zeros", `(i32.eq ${here} ${byte("0")})`)}
  (local.set $first (local.get $at))
  ${readDigits("$digits")}
  (local.set $count (i32.sub (local.get $at) (local.get $first)))
  (if (i32.eq ${here} ${byte(".")}) (then
    ${step}
    (local.set $power (local.get $at))
    (if (i32.eqz (local.get $count)) (then
      ${skipWhile("$moreZeros", `(i32.eq ${here} ${byte("0")})`)}))
    (local.set $first (local.get $at))
    ${readDigits("$decimals")}
    (local.set $count (i32.add
      (local.get $count)
      (i32.sub (local.get $at) (local.get $first))))
    (local.set $power (i32.sub (local.get $power) (local.get $at)))
    (local.set $mark (i32.add (local.get $mark) (i32.const 1)))))
  ;; digits there must be, and at most 19 fit
  (if (i32.eq (local.get $at) (local.get $mark)) (then (return (i32.const 0))))
  (if (i32.gt_u (local.get $count) (i32.const 19)) (then (return (i32.const 0))))
  (if (i32.eq (i32.or ${here} (i32.const 32)) ${byte("e")}) (then
    ${step}
    (local.set $down (i32.eq ${here} ${byte("-")}))
    (if (i32.or (local.get $down) (i32.eq ${here} ${byte("+")})) (then ${step}))
    (local.set $mark (local.get $at))
    (loop $exponentDigits
      (local.set $digit (i32.sub ${here} ${byte("0")}))
      (if (i32.lt_u (local.get $digit) (i32.const 10)) (then
        (local.set $exponent (i32.add
          (i32.mul (local.get $exponent) (i32.const 10))
          (local.get $digit)))
        ${step}
        (br $exponentDigits))))
    (local.set $mark (i32.sub (local.get $at) (local.get $mark)))
    (if (i32.ge_u (i32.sub (local.get $mark) (i32.const 1)) (i32.const 4)) (then
      (return (i32.const 0))))
    (if (local.get $down) (then
      (local.set $exponent (i32.sub (i32.const 0) (local.get $exponent)))))
    (local.set $power (i32.add (local.get $power) (local.get $exponent)))))
  ${skipSpaces("$behind")}
  (if (i64.eqz (local.get $whole)) (then (local.set $power (i32.const 0))))
  (if (i32.gt_u (i32.add (local.get $power) (i32.const 64)) (i32.const 128)) (then
    (return (i32.const 0))))
  (i64.store (local.get $target) (i64.or
    (i64.shl (i64.extend_i32_u (local.get $minus)) (i64.const 63))
    (call $scaled (local.get $whole) (local.get $power))))
  (local.get $at))`;

const EXACT = "(i64.const 9007199254740992)"; // 2⁵³

/**
 * The bits of `whole` · 10^`power`, correctly rounded: D. Lemire, "Number Parsing at a Gigabyte per
 * Second", 2021, and N. Mushtak and D. Lemire, "Fast Number Parsing Without Fallback", 2023.
 */
const SCALED = `
(func $scaled (param $whole i64) (param $power i32) (result i64)
  (local $zeros i64) (local $table i32) (local $high i64) (local $low i64) (local $more i64)
  (local $top i64) (local $shift i64) (local $mantissa i64) (local $exponent i64)
  (if (i64.le_u (local.get $whole) ${EXACT}) (then
    (if (i32.le_u (local.get $power) (i32.const 22)) (then
      (return (i64.reinterpret_f64 (f64.mul
        (f64.convert_i64_u (local.get $whole))
        (f64.load offset=${MEMORY.powersOfTen} (i32.shl (local.get $power) (i32.const 3))))))))
    (if (i32.le_u (i32.sub (i32.const 0) (local.get $power)) (i32.const 22)) (then
      (return (i64.reinterpret_f64 (f64.div
        (f64.convert_i64_u (local.get $whole))
        (f64.load offset=${MEMORY.powersOfTen}
          (i32.shl (i32.sub (i32.const 0) (local.get $power)) (i32.const 3))))))))))
  (local.set $zeros (i64.clz (local.get $whole)))
  (local.set $whole (i64.shl (local.get $whole) (local.get $zeros)))
  (local.set $table (i32.shl (i32.add (local.get $power) (i32.const 64)) (i32.const 4)))
  (local.set $more (i64.load offset=${MEMORY.powersOfFive + 8} (local.get $table)))
  (local.set $high (call $highProduct (local.get $whole) (local.get $more)))
  (local.set $low (i64.mul (local.get $whole) (local.get $more)))
  ;; 9 bits more than a float64 holds: only if all are set can the rest of the power matter
  (if (i64.eq (i64.and (local.get $high) (i64.const 0x1ff)) (i64.const 0x1ff)) (then
    (local.set $more (call $highProduct
      (local.get $whole)
      (i64.load offset=${MEMORY.powersOfFive} (local.get $table))))
    (local.set $low (i64.add (local.get $low) (local.get $more)))
    (if (i64.lt_u (local.get $low) (local.get $more)) (then
      (local.set $high (i64.add (local.get $high) (i64.const 1)))))))
  (local.set $top (i64.shr_u (local.get $high) (i64.const 63)))
  (local.set $shift (i64.add (local.get $top) (i64.const 9)))
  (local.set $mantissa (i64.shr_u (local.get $high) (local.get $shift)))
  ;; floor(power · log2(10)) + 63 + 1023
  (local.set $exponent (i64.sub
    (i64.add
      (i64.extend_i32_u (i32.add
        (i32.shr_s (i32.mul (local.get $power) (i32.const 217706)) (i32.const 16))
        (i32.const 1086)))
      (local.get $top))
    (local.get $zeros)))
  ;; an exact half goes to the even neighbour
  (if (i64.le_u (local.get $low) (i64.const 1)) (then
    (if (i32.le_u (i32.add (local.get $power) (i32.const 4)) (i32.const 27)) (then
      (if (i64.eq (i64.and (local.get $mantissa) (i64.const 3)) (i64.const 1)) (then
        (if (i64.eq
          (i64.shl (local.get $mantissa) (local.get $shift))
          (local.get $high)) (then
            (local.set $mantissa (i64.sub (local.get $mantissa) (i64.const 1)))))))))))
  (local.set $mantissa (i64.shr_u
    (i64.add (local.get $mantissa) (i64.and (local.get $mantissa) (i64.const 1)))
    (i64.const 1)))
  (if (i64.ge_u (local.get $mantissa) ${EXACT}) (then
    (local.set $mantissa (i64.const 0))
    (local.set $exponent (i64.add (local.get $exponent) (i64.const 1)))))
  (i64.or
    (i64.and (local.get $mantissa) (i64.const 0xfffffffffffff))
    (i64.shl (local.get $exponent) (i64.const 52))))

(func $highProduct (param $a i64) (param $b i64) (result i64) ;; upper 64 of 128 bits
  (local $al i64) (local $ah i64) (local $bl i64) (local $bh i64) (local $middle i64)
  (local.set $al (i64.and (local.get $a) (i64.const 0xffffffff)))
  (local.set $ah (i64.shr_u (local.get $a) (i64.const 32)))
  (local.set $bl (i64.and (local.get $b) (i64.const 0xffffffff)))
  (local.set $bh (i64.shr_u (local.get $b) (i64.const 32)))
  (local.set $middle (i64.add
    (i64.mul (local.get $ah) (local.get $bl))
    (i64.shr_u (i64.mul (local.get $al) (local.get $bl)) (i64.const 32))))
  (i64.add
    (i64.add
      (i64.mul (local.get $ah) (local.get $bh))
      (i64.shr_u (local.get $middle) (i64.const 32)))
    (i64.shr_u
      (i64.add
        (i64.mul (local.get $al) (local.get $bh))
        (i64.and (local.get $middle) (i64.const 0xffffffff)))
      (i64.const 32))))`;

/** The functions in WebAssembly's text format. */
export const NUMBER = NUMBER_TEXT + SCALED;
