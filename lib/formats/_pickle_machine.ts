import { BUILTIN_GLOBALS } from "./_pickle_builtins.ts";
import { NUMPY_GLOBALS } from "./_pickle_numpy.ts";
import type { PickleSource } from "./_pickle_source.ts";
import type { PickleContext, PickleGlobal } from "./pickle_globals.ts";
import { PickleReference, PickleTuple, pickleTypeName, type PickleValue } from "./pickle_values.ts";

/** A value on the stack. */
export type Item = PickleValue<object>;

/** What the machine needs of the caller. */
export interface MachineOptions {
  readonly taggedFloats: boolean;
  readonly globals: Readonly<Record<string, PickleGlobal<object>>>;
  readonly persistentLoad: ((id: Item, context: PickleContext) => Item) | undefined;
}

/** Estimated bytes in memory, V8 on 64 bits. */
export const COST = { item: 8, box: 24, tuple: 72, list: 32, dict: 200, entry: 48 } as const;

/** The stack, the marks and the memo of a pickle being read. */
export class PickleMachine {
  readonly source: PickleSource;
  readonly options: MachineOptions;
  readonly stack: Item[] = [];
  readonly marks: number[] = [];
  readonly memo: (Item | undefined)[] = [];
  memoized = 0;
  readonly #globals: ReadonlyMap<string, PickleGlobal<object>>;
  /** Objects whose state may still be set. */
  readonly #builders = new Map<Item, NonNullable<PickleGlobal<object>["build"]>>();

  constructor(source: PickleSource, options: MachineOptions) {
    this.source = source;
    this.options = options;
    this.#globals = new Map([
      ...Object.entries(BUILTIN_GLOBALS),
      ...Object.entries(NUMPY_GLOBALS),
      ...Object.entries(options.globals),
    ]);
  }

  push(item: Item): void {
    this.stack.push(item);
  }

  pop(): Item {
    if (this.stack.length <= this.#floor) this.#underflow();
    return this.stack.pop()!;
  }

  /** The only value that is left at the end. */
  finish(): Item {
    const item = this.pop();
    const left = this.stack.length + this.marks.length;
    if (left > 0) this.source.fail("one value should be left at the end", `${left + 1}`);
    return item;
  }

  top(): Item {
    if (this.stack.length <= this.#floor) this.#underflow();
    return this.stack.at(-1)!;
  }

  mark(): void {
    this.marks.push(this.stack.length);
  }

  /** Takes what was pushed since the last mark. */
  popMark(): Item[] {
    return this.stack.splice(this.popMarkStart());
  }

  /** Forgets the last mark; what was pushed since begins at the index returned. */
  popMarkStart(): number {
    return this.marks.pop() ?? this.source.fail("a mark should stand on the stack", "none");
  }

  /** What the opcode appends to. */
  list(): Item[] {
    const list = this.top();
    return Array.isArray(list) ? list : this.#wrongTarget("list", list);
  }

  dict(): Map<Item, Item> {
    const dict = this.top();
    return dict instanceof Map ? dict : this.#wrongTarget("dict", dict);
  }

  set(): Set<Item> {
    const set = this.top();
    return set instanceof Set ? set : this.#wrongTarget("set", set);
  }

  addEntry(dict: Map<Item, Item>, key: Item, value: Item): void {
    this.source.charge(COST.entry);
    dict.set(this.hashable(key), value);
  }

  /** What Python takes as a key. */
  hashable(key: Item): Item {
    if (!Array.isArray(key) && !(key instanceof Map)) return key;
    return this.source.fail("keys and members of sets should be immutable", pickleTypeName(key));
  }

  store(index: number): void {
    // Every value in the memo has taken at least one byte.
    if (!(index >= 0 && index < this.source.bytes.length)) {
      this.source.fail("an index of the memo should be less than the bytes of the file", index);
    }
    if (this.memo[index] === undefined) this.memoized++;
    this.memo[index] = this.top();
  }

  recall(index: number): void {
    const item = this.memo[index];
    if (item === undefined) this.source.fail("the memo should hold what is asked for", index);
    this.push(item!);
  }

  /** Refers to a name, if it is on the list of allowed names. */
  reference(module: string, name: string): PickleReference {
    const full = `${module}.${name}`, usual = usualName(full);
    const known = this.#globals.has(full) ? full : this.#globals.has(usual) ? usual : undefined;
    if (known === undefined) {
      this.source.fail(
        "it asks for a name that is not on the list of allowed names",
        full,
        "Nothing was executed. The list can be extended with the option `globals`; save what " +
          "you need as numbers, texts, lists and NumPy arrays.",
      );
    }
    this.source.charge(COST.box);
    return new PickleReference(known!);
  }

  /** What Python does by calling `callable`. */
  call(callable: Item, args: readonly Item[]): Item {
    const { source } = this;
    const known = callable instanceof PickleReference
      ? this.#globals.get(callable.name)
      : undefined;
    if (known?.construct === undefined) {
      return source.fail("it calls what may only be mentioned", pickleTypeName(callable));
    }
    const item = known.construct(args, source);
    if (item === undefined) {
      throw new TypeError(
        `Cannot read ${source.path}: construct of ${
          (callable as PickleReference).name
        } should return a value, current value is undefined.`,
      );
    }
    if (known.build !== undefined) this.#builders.set(item, known.build);
    return item;
  }

  build(object: Item, state: Item): void {
    const build = this.#builders.get(object);
    if (build === undefined) {
      this.source.fail("it sets the state of a value that has none", pickleTypeName(object));
    }
    build!(object, state, this.source);
  }

  persistent(id: Item): Item {
    const { persistentLoad } = this.options;
    if (persistentLoad === undefined) {
      const shown = id instanceof PickleTuple ? id.items.map(pickleTypeName) : pickleTypeName(id);
      return this.source.fail(
        "a part of its data lies outside the pickle",
        shown,
        "Read it with the function for this kind of file, or give the option `persistentLoad`.",
      );
    }
    return persistentLoad(id, this.source);
  }

  get #floor(): number {
    return this.marks.at(-1) ?? 0;
  }

  #underflow(): never {
    this.source.fail("the stack should hold a value", "none", "The file is damaged.");
  }

  #wrongTarget(kind: string, found: Item): never {
    return this.source.fail(`the stack should hold a ${kind}`, pickleTypeName(found));
  }
}

/** The name that Python 3 and NumPy 1 use, where Python 2 or NumPy 2 has another. */
function usualName(name: string): string {
  return name.replace(/^__builtin__\./, "builtins.").replace(/^numpy\._core\./, "numpy.core.");
}
