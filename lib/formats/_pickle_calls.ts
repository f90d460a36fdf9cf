import type { Item, PickleMachine } from "./_pickle_machine.ts";
import { decodeUtf8 } from "./_pickle_text.ts";
import { PickleTuple, pickleTypeName } from "./pickle_values.ts";

export function global(m: PickleMachine): void {
  m.push(m.reference(utf8Line(m), utf8Line(m)));
}

export function stackGlobal(m: PickleMachine): void {
  const name = m.pop(), module = m.pop();
  if (typeof name !== "string" || typeof module !== "string") {
    m.source.fail(
      "a name should be two texts",
      `${pickleTypeName(module)} and ${pickleTypeName(name)}`,
    );
  }
  m.push(m.reference(module as string, name as string));
}

export function call(m: PickleMachine, args: Item, callable: Item): void {
  if (!(args instanceof PickleTuple)) {
    m.source.fail("arguments should be a tuple", pickleTypeName(args));
  }
  m.push(m.call(callable, (args as PickleTuple<object>).items));
}

export function newObjectWithKeywords(m: PickleMachine): void {
  const keywords = m.pop();
  if (!(keywords instanceof Map) || keywords.size > 0) {
    m.source.fail("an object should be made without named arguments", pickleTypeName(keywords));
  }
  call(m, m.pop(), m.pop());
}

export function instance(m: PickleMachine): void {
  const callable = m.reference(utf8Line(m), utf8Line(m));
  m.push(m.call(callable, m.popMark()));
}

export function object(m: PickleMachine): void {
  const [callable, ...args] = m.popMark();
  if (callable === undefined) m.source.fail("a name should follow the mark", "nothing");
  m.push(m.call(callable!, args));
}

export function build(m: PickleMachine): void {
  const state = m.pop();
  m.build(m.top(), state);
}

export function extension(m: PickleMachine, code: number): never {
  return m.source.fail(
    "it asks for a name by number, from a registry that only its writer has",
    `extension ${code}`,
    "Nothing was executed. Save it without copyreg.add_extension.",
  );
}

export function outOfBand(m: PickleMachine): never {
  return m.source.fail(
    "all its data should be in the file",
    "a buffer outside of it",
    "Save it without buffer_callback.",
  );
}

function utf8Line(m: PickleMachine): string {
  return decodeUtf8(m.source.line()) ?? m.source.fail("a name should be UTF-8", "others");
}
