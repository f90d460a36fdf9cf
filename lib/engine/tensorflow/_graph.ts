/** Traces ops into a graph and turns the graph into one TensorFlow function. */
import { type Attribute, setAttribute } from "./_attributes.ts";
import type { TensorFlowBinding, Tracer } from "./_binding.ts";
import { describe, DT, type ElementArray } from "./_dtypes.ts";
import { graphFunction } from "./_graph_function.ts";
import { check, cString, cStringOnce, dimsArray, type Pointer } from "./_library.ts";
import { addInputs, groupInputs, opDef } from "./_op_defs.ts";
import { OpOrder } from "./_op_order.ts";
import { inferred, setShape, type Symbolic } from "./_symbolic.ts";
import { Autocast } from "./_autocast.ts";
import { Products } from "./_product_record.ts";
import { SideEffects } from "./_side_effects.ts";
import type { TensorMetadata, TensorValues } from "./_tensors.ts";
import type { Enclosing, GraphOptions, TracedFunction } from "./_traced.ts";

/** Ids of traced tensors are negative, so that tfjs never deletes them; −1 means "no id" to tfjs. */
let nextId = -2;

/** True for the id of a tensor that exists only in a graph. */
export function isSymbolic(id: number): boolean {
  return id < -1;
}

/** A graph under construction. */
export class GraphTracer implements Tracer {
  readonly #binding: TensorFlowBinding;
  readonly #enclosing: Enclosing;
  readonly #graph: Pointer;
  readonly #symbols = new Map<number, Symbolic>();
  readonly #inputs: Symbolic[] = [];
  readonly #captured = new Map<number, { id: number; symbolic: Symbolic }>();
  readonly #effects = new SideEffects();
  readonly #order = new OpOrder();
  readonly #callees = new Map<string, TracedFunction>();
  readonly #inputVariables = new Map<number, { shape: readonly number[]; dtype: number }>();
  /** Shapes of the values behind resource placeholders. */
  readonly #valueShapes = new Map<Symbolic, readonly number[]>();
  /** Tensors from outside that were disposed while tracing stay alive until the trace ends. */
  readonly #disposed: number[] = [];
  readonly #autocast: Autocast | undefined;
  /** Products of traced tensors, which updates can make themselves. */
  readonly #products = new Products();
  #isExact = false;
  #nodes = 0;
  /** Called with what cannot be traced; must throw. */
  readonly #refuse: (problem: string) => never;
  /** How ops are traced. */
  readonly options: GraphOptions;
  /** Functions that were traced while this graph was, by key, to be called again. */
  readonly shared: Map<string, TracedFunction>;

  /**
   * @param binding The binding whose calls are traced.
   * @param enclosing What lies outside.
   * @param refuse Throws an error that names the function and the place in the user's code.
   * @param options How ops are traced.
   */
  constructor(
    binding: TensorFlowBinding,
    enclosing: Enclosing,
    refuse: (problem: string) => never,
    options: GraphOptions,
  ) {
    this.#binding = binding;
    this.#enclosing = enclosing;
    this.#refuse = refuse;
    this.options = options;
    this.#autocast = options.autocast ? new Autocast(this) : undefined;
    this.shared = enclosing instanceof GraphTracer ? enclosing.shared : new Map();
    this.#graph = binding.library.api.TF_NewGraph();
  }

  /** Declares the next input of the function. */
  input(shape: readonly number[], dtype: number): TensorMetadata {
    const symbolic = this.#placeholder(shape, dtype);
    this.#inputs.push(symbolic);
    return this.#register(symbolic);
  }

  /** Declares a variable as the next input of the function. */
  inputVariable(shape: readonly number[], dtype: number): number {
    const symbolic = this.#placeholder([], DT.resource);
    this.#inputs.push(symbolic);
    this.#valueShapes.set(symbolic, shape);
    const { id } = this.#register(symbolic);
    this.#inputVariables.set(id, { shape, dtype });
    return id;
  }

  /** Shape and dtype of an id as seen from inside this graph. */
  metadata(id: number): { shape: number[]; dtype: number } {
    return this.#symbols.get(id) ?? this.#enclosing.metadata(id);
  }

  /** The variable behind an id, if it is one. */
  variable(id: number): { shape: readonly number[]; dtype: number } | undefined {
    return this.#inputVariables.get(id) ?? this.#enclosing.variable(id);
  }

  createTensor(shape: readonly number[], dtype: number, values: TensorValues): number {
    const { library, tensors } = this.#binding;
    const tensor = tensors.allocate(shape, dtype, values);
    const op = this.#node("Const", (description) => {
      library.api.TF_SetAttrTensor(description, cString("value"), tensor, library.status);
      library.api.TF_SetAttrType(description, cString("dtype"), dtype);
    });
    library.api.TF_DeleteTensor(tensor);
    return this.#register({ op, index: 0, shape: [...shape], dtype, values }).id;
  }

  /** The factors of a traced tensor, see {@link Products.factors}. */
  products(id: number): readonly (readonly [left: number, right: number])[] | undefined {
    return this.#products.factors(id);
  }

  deleteTensor(id: number): void {
    if (!isSymbolic(id)) this.#disposed.push(id);
  }

  tensorDataSync(id: number): ElementArray | Uint8Array[] {
    const symbolic = this.#symbols.get(id);
    if (symbolic?.values !== undefined) return symbolic.values as ElementArray | Uint8Array[];
    const { dtype, shape } = this.metadata(id);
    return this.#refuse(
      `a traced tensor has no values to read on the host, current value is ${
        describe(dtype, shape)
      }; return it from the function and read it there`,
    );
  }

  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    _outputs: number,
  ): TensorMetadata[] {
    const outputs =
      (this.#isExact ? undefined : this.#autocast?.execute(name, attributes, inputs)) ??
        this.add(name, attributes, inputs);
    this.#products.note(name, attributes, inputs, outputs, (id) => this.#symbols.get(id)?.values);
    return outputs;
  }

  /** Adds an op as it is. */
  add(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
  ): TensorMetadata[] {
    const { library, tensors } = this.#binding;
    const { api } = library;
    const definition = opDef(library, this.#graph, name);
    const symbols = inputs.map((id) => this.#resolve(id));
    const groups = groupInputs(definition, symbols.length, (attribute) => {
      const value = attributes.find((a) => a.name === attribute)?.value;
      return Array.isArray(value) ? value.length : value as number | undefined;
    });
    const place = () =>
      `Cannot trace ${name}(${symbols.map((s) => describe(s.dtype, s.shape)).join(", ")})`;
    const op = this.#node(name, (description) => {
      addInputs(library, description, definition, groups, symbols);
      for (const before of this.#effects.before(name, definition.stateful, symbols)) {
        api.TF_AddControlInput(description, before);
      }
      for (const before of this.#order.waits) api.TF_AddControlInput(description, before);
      for (const attribute of attributes) {
        if (definition.inferred.has(attribute.name)) continue;
        setAttribute(library, description, true, attribute, (id) => tensors.resolve(id));
      }
    }, place);
    this.#effects.after(name, definition.stateful, op, symbols);
    this.#order.added(op);
    return this.#outputs(name, op, symbols);
  }

  /** Adds ops that are not narrowed. */
  exactly<T>(body: () => T): T {
    const before = this.#isExact;
    this.#isExact = true;
    try {
      return body();
    } finally {
      this.#isExact = before;
    }
  }

  /**
   * Adds ops that run one section after the other, and not before some tensors are there: what they
   * make is then in the cache when they use it, and its memory is free for the next section.
   */
  section(after: readonly number[], body: () => void): void {
    this.#order.section(this.#opsOf(after), body);
  }

  /** Adds ops that do not run before some tensors are there. */
  after<T>(ids: readonly number[], body: () => T): T {
    return this.#order.after(this.#opsOf(ids), body);
  }

  /** Adds a call of another traced function, which may be compiled as one XLA cluster. */
  call(
    traced: TracedFunction,
    inputs: readonly number[],
    attributes: readonly Attribute[],
  ): TensorMetadata[] {
    const { library } = this.#binding;
    if (!this.#callees.has(traced.name)) {
      library.api.TF_GraphCopyFunction(this.#graph, traced.handle, null, library.status);
      check(library, `Cannot call "${traced.name}" in a traced function`);
      this.#callees.set(traced.name, traced);
    }
    return this.executeOp(
      traced.name,
      attributes,
      [...inputs, ...traced.captures],
      traced.outputs.length,
    );
  }

  /**
   * Ends the trace.
   *
   * @param name The function's name; must be new.
   * @param outputs Ids of the tensors it returns.
   */
  finish(name: string, outputs: readonly number[]): TracedFunction {
    const { library } = this.#binding;
    const results = outputs.map((id) => {
      const { dtype } = this.metadata(id);
      const attributes = [{ name: "T", type: 4, value: dtype }];
      return this.executeOp("Identity", attributes, [id], 1)[0]!;
    });
    const captured = [...this.#captured.values()];
    const parameters = [...this.#inputs, ...captured.map((c) => c.symbolic)];
    const returns = results.map((m) => this.#symbols.get(m.id)!);
    const handle = graphFunction(library, this.#graph, name, {
      ...{ parameters, returns, control: this.#effects.last() },
    });
    return {
      name,
      captures: captured.map((c) => c.id),
      outputs: results,
      nodes: this.#nodes,
      handle,
      callees: [...this.#callees.values()],
    };
  }

  /** Frees the graph and the tensors that were disposed while it was traced. */
  dispose(): void {
    this.#binding.library.api.TF_DeleteGraph(this.#graph);
    for (const id of this.#disposed) this.#binding.deleteTensor(id);
  }

  #register(symbolic: Symbolic): TensorMetadata {
    const id = nextId--;
    this.#symbols.set(id, symbolic);
    return { id, shape: symbolic.shape, dtype: symbolic.dtype };
  }

  #node(
    type: string,
    build: (description: Pointer) => void,
    place: () => string = () => `Cannot trace ${type}`,
  ): Pointer {
    const { library } = this.#binding;
    const { api, status } = library;
    const name = cStringOnce(`${type}_${this.#nodes++}`);
    const description = api.TF_NewOperation(this.#graph, cString(type), name);
    build(description);
    const op = api.TF_FinishOperation(description, status);
    check(library, place);
    return op;
  }

  #placeholder(shape: readonly number[], dtype: number): Symbolic {
    const { api } = this.#binding.library;
    const op = this.#node("Placeholder", (description) => {
      api.TF_SetAttrType(description, cString("dtype"), dtype);
      api.TF_SetAttrShape(description, cString("shape"), dimsArray(shape), shape.length);
    });
    return { op, index: 0, shape: [...shape], dtype };
  }

  /** Ops that make tensors; what comes from outside is there already. */
  #opsOf(ids: readonly number[]): Pointer[] {
    const outside = new Set([...this.#inputs, ...this.#captured.values().map((c) => c.symbolic)]);
    return ids.map((id) => this.#resolve(id)).filter((symbolic) => !outside.has(symbolic))
      .map(({ op }) => op);
  }

  #resolve(id: number): Symbolic {
    const known = this.#symbols.get(id) ?? this.#captured.get(id)?.symbolic;
    if (known !== undefined) return known;
    const variable = this.#enclosing.variable(id);
    const { shape, dtype } = variable === undefined
      ? this.#enclosing.metadata(id)
      : { shape: [], dtype: DT.resource };
    const symbolic = this.#placeholder(shape, dtype);
    this.#captured.set(id, { id, symbolic });
    if (variable !== undefined) this.#valueShapes.set(symbolic, variable.shape);
    return symbolic;
  }

  #outputs(name: string, op: Pointer, inputs: readonly Symbolic[]): TensorMetadata[] {
    const { library } = this.#binding;
    if (name === "ReadVariableOp") {
      setShape(library, this.#graph, { op, index: 0 }, this.#valueShapes.get(inputs[0]!)!);
    }
    return Array.from({ length: library.api.TF_OperationNumOutputs(op) }, (_, index) => {
      const { dtype, dims } = inferred(library, this.#graph, { op, index });
      if (dims === undefined || dims.includes(-1)) {
        this.#refuse(
          `the shape of ${name}'s result depends on values, current value is [${
            dims?.join(",").replaceAll("-1", "?") ?? "unknown rank"
          }]; compute it outside of the function, or use a mask of fixed shape`,
        );
      }
      return this.#register({ op, index, shape: dims, dtype });
    });
  }
}
