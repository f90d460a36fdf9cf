import assert from "node:assert/strict";
import { leadingBitsOfPowerOfFive } from "../../lib/formats/_csv_kernel.ts";
import { assemble } from "../../lib/formats/_wat.ts";

Deno.test("a function with a loop, a branch and memory is assembled", () => {
  const module = assemble(`(module
    (memory (export "memory") 1)
    (func $square (param $x i64) (result i64) (i64.mul (local.get $x) (local.get $x)))
    (func $sum (export "sumOfSquares") (param $n i32) (result i64) (local $sum i64)
      (block $done (loop $more ;; from n down to 1
        (if (i32.eqz (local.get $n)) (then (br $done)) (else
          (local.set $sum (i64.add (local.get $sum)
            (call $square (i64.extend_i32_u (local.get $n)))))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $more)))
      (i64.store offset=8 (i32.const 0) (i64.const -300))
      (local.get $sum)))`);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
  const { memory, sumOfSquares } = exports as {
    memory: WebAssembly.Memory;
    sumOfSquares: (n: number) => bigint;
  };
  assert.equal(sumOfSquares(100), 338_350n);
  assert.equal(new BigInt64Array(memory.buffer)[1], -300n);
});

Deno.test("what is not understood is refused", () => {
  const inside = (code: string) => `(module (func $f (export "f") (param $x i32) ${code}))`;
  const refused: [string, RegExp][] = [
    ["(func)", /a module/],
    ["(module", /every parenthesis closed should stand here, current value is 1 open/],
    ["(module))", /a parenthesis that was opened/],
    [inside("(i32.rotl (local.get $x) (i32.const 1))"), /known here .* i32.rotl/],
    [inside("(local.set $y (i32.const 1))"), /a name that was declared .* \$y/],
    [inside("(call $g)"), /a name that was declared .* \$g/],
    [inside("(br $out)"), /a label around it .* \$out/],
    [inside("(local $y i31)"), /a type .* i31/],
    [inside("nop"), /an instruction in parentheses .* nop/],
    [inside("(drop (v128.const i8x16 1 2))"), /a constant i8x16 or i16x8 .* i8x16 of 2/],
  ];
  for (const [text, message] of refused) {
    assert.throws(() => assemble(text), (error) => {
      assert(error instanceof SyntaxError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("the leading bits of powers of five bound the power as closely as 128 bits can", () => {
  for (let power = -64; power <= 64; power++) {
    const bits = leadingBitsOfPowerOfFive(power);
    assert.equal(bits.toString(2).length, 128);
    // 5^power = numerator / denominator lies between bits and its neighbour, times a power of two.
    const numerator = power < 0 ? 1n : 5n ** BigInt(power);
    const denominator = power < 0 ? 5n ** BigInt(-power) : 1n;
    let scaled = numerator << 512n, unit = denominator << 384n;
    while (scaled / unit >= 2n ** 128n) unit <<= 1n;
    while (scaled / unit < 2n ** 127n) scaled <<= 1n;
    assert.equal(bits, scaled / unit + (power < 0 ? 1n : 0n), `5^${power}`);
  }
});
