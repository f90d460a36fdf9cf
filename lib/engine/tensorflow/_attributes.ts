/** Op attributes, set on an eager op (`TFE_OpSetAttr…`) or on a graph node (`TF_SetAttr…`) by one table. */
import {
  addressOf,
  check,
  cString,
  cStringOnce,
  dimsArray,
  type Library,
  type Pointer,
} from "./_library.ts";

/** `TF_AttrType` of `c_api.h`; tfjs's binding calls 6 `TF_ATTR_RESOURCE` and never uses it. */
export const ATTR = {
  string: 0,
  int: 1,
  float: 2,
  bool: 3,
  type: 4,
  shape: 5,
  tensor: 6,
  func: 8,
} as const;

/** The value of an attribute; an array is a list attribute, except for `shape`. */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | readonly string[]
  | readonly number[]
  | readonly bigint[]
  | readonly boolean[]
  | readonly (readonly number[])[];

/** One attribute of an op, in the shape tfjs's kernels build it. */
export interface Attribute {
  readonly name: string;
  /** One of {@link ATTR}. */
  readonly type: number;
  readonly value: AttributeValue;
}

const encoder = new TextEncoder();

/** Pointers and lengths of a list of byte strings, with what must stay alive meanwhile. */
function stringList(values: readonly string[]) {
  const bytes = values.map((v) => cStringOnce(v));
  const pointers = BigUint64Array.from(bytes, addressOf);
  const lengths = BigUint64Array.from(bytes, (b) => BigInt(b.length - 1));
  return { bytes, pointers, lengths };
}

/** Pointers and ranks of a list of shapes, with what must stay alive meanwhile. */
function shapeList(shapes: readonly (readonly number[])[]) {
  const dims = shapes.map(dimsArray);
  const pointers = BigUint64Array.from(
    dims,
    (d) => addressOf(new Uint8Array(d.buffer)),
  );
  return { dims, pointers, ranks: Int32Array.from(shapes, (s) => s.length) };
}

const isList = Array.isArray as (value: AttributeValue) => boolean;
/** tfjs hands over fractions where TensorFlow takes integers, such as a seed of 3.14. */
const int64 = (x: number | bigint) => BigInt(typeof x === "number" ? Math.trunc(x) : x);
const int64s = (v: AttributeValue) => BigInt64Array.from(v as number[], int64);

/**
 * Sets one attribute.
 *
 * @param library The open library.
 * @param op The eager op or the unfinished graph node.
 * @param graph True for a graph node.
 * @param attribute Name, type and value.
 * @param tensorOf Resolves the tensor id of a `tensor` attribute to a `TF_Tensor`.
 * @throws {TypeError} If the attribute type is unknown.
 */
export function setAttribute(
  library: Library,
  op: Pointer,
  graph: boolean,
  attribute: Attribute,
  tensorOf: (id: number) => Pointer,
): void {
  const { api, status } = library;
  const { type, value } = attribute;
  const name = cString(attribute.name);
  const list = isList(value);
  switch (type) {
    case ATTR.string:
      if (list) {
        const { bytes, pointers, lengths } = stringList(value as string[]);
        const set = graph ? api.TF_SetAttrStringList : api.TFE_OpSetAttrStringList;
        set(op, name, pointers, lengths, bytes.length);
      } else {
        const bytes = encoder.encode(value as string);
        const set = graph ? api.TF_SetAttrString : api.TFE_OpSetAttrString;
        set(op, name, bytes, BigInt(bytes.length));
      }
      return;
    case ATTR.int:
      if (list) {
        const values = int64s(value);
        (graph ? api.TF_SetAttrIntList : api.TFE_OpSetAttrIntList)(op, name, values, values.length);
      } else (graph ? api.TF_SetAttrInt : api.TFE_OpSetAttrInt)(op, name, int64(value as number));
      return;
    case ATTR.float:
      if (list) {
        const values = Float32Array.from(value as number[]);
        const set = graph ? api.TF_SetAttrFloatList : api.TFE_OpSetAttrFloatList;
        set(op, name, values, values.length);
      } else (graph ? api.TF_SetAttrFloat : api.TFE_OpSetAttrFloat)(op, name, value as number);
      return;
    case ATTR.bool:
      if (list) {
        const values = Uint8Array.from(value as boolean[], Number);
        const set = graph ? api.TF_SetAttrBoolList : api.TFE_OpSetAttrBoolList;
        set(op, name, values, values.length);
      } else (graph ? api.TF_SetAttrBool : api.TFE_OpSetAttrBool)(op, name, value ? 1 : 0);
      return;
    case ATTR.type:
      if (list) {
        const values = Int32Array.from(value as number[]);
        const set = graph ? api.TF_SetAttrTypeList : api.TFE_OpSetAttrTypeList;
        set(op, name, values, values.length);
      } else (graph ? api.TF_SetAttrType : api.TFE_OpSetAttrType)(op, name, value as number);
      return;
    case ATTR.shape:
      if (list && isList((value as number[][])[0] ?? 0)) {
        const { dims, pointers, ranks } = shapeList(value as number[][]);
        if (graph) api.TF_SetAttrShapeList(op, name, pointers, ranks, dims.length);
        else api.TFE_OpSetAttrShapeList(op, name, pointers, ranks, dims.length, status);
      } else {
        const shape = value as number[];
        if (graph) api.TF_SetAttrShape(op, name, dimsArray(shape), shape.length);
        else api.TFE_OpSetAttrShape(op, name, dimsArray(shape), shape.length, status);
      }
      break;
    case ATTR.tensor: {
      const tensor = tensorOf(value as number);
      (graph ? api.TF_SetAttrTensor : api.TFE_OpSetAttrTensor)(op, name, tensor, status);
      api.TF_DeleteTensor(tensor);
      break;
    }
    case ATTR.func: {
      const bytes = encoder.encode(value as string);
      const set = graph ? api.TF_SetAttrFuncName : api.TFE_OpSetAttrFunctionName;
      set(op, name, bytes, BigInt(bytes.length));
      return;
    }
    default:
      throw new TypeError(
        `Cannot set attribute "${attribute.name}": its type is not one of TF_AttrType, current value is ${type}`,
      );
  }
  if (!graph || type === ATTR.tensor) {
    check(library, () => `Cannot set attribute "${attribute.name}"`);
  }
}
