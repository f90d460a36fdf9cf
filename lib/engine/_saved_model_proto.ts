/** The signatures of a SavedModel, read from its `saved_model.pb` (`saved_model.proto`). */

/** An input or output of a signature. */
export interface TensorEntry {
  /** Name in the graph, such as `serving_default_x:0`. */
  readonly graphName: string;
  /** Its `TF_DataType`. */
  readonly dtype: number;
  /** -1 for any size; undefined for any rank. */
  readonly shape: readonly number[] | undefined;
}

/** Inputs and outputs of a signature, by the names that users know. */
export interface Signature {
  readonly inputs: ReadonlyMap<string, TensorEntry>;
  readonly outputs: ReadonlyMap<string, TensorEntry>;
}

/** One graph of a SavedModel. */
export interface MetaGraph {
  readonly tags: readonly string[];
  readonly signatures: ReadonlyMap<string, Signature>;
}

/** What google-protobuf's generated classes, which tfjs-node brings along, look like. */
interface ProtoMap<T> {
  forEach(visit: (value: T, key: string) => void): void;
}
interface TensorInfoProto {
  getName(): string;
  getDtype(): number;
  getTensorShape():
    | { getUnknownRank(): boolean; getDimList(): { getSize(): number }[] }
    | undefined;
}
interface SignatureProto {
  getInputsMap(): ProtoMap<TensorInfoProto>;
  getOutputsMap(): ProtoMap<TensorInfoProto>;
}
interface SavedModelProto {
  getMetaGraphsList(): {
    getMetaInfoDef(): { getTagsList(): string[] };
    getSignatureDefMap(): ProtoMap<SignatureProto>;
  }[];
}

/** TensorFlow's own signature, not one of the user's. */
const INITIALISER = "__saved_model_init_op";

/** Reads the graphs of a SavedModel's folder. */
export async function readMetaGraphs(folder: string): Promise<MetaGraph[]> {
  const { readSavedModelProto } = await import("@tensorflow/tfjs-node-gpu/dist/saved_model.js");
  const model = await readSavedModelProto(folder) as SavedModelProto;
  return model.getMetaGraphsList().map((graph) => {
    const signatures = mapOf(graph.getSignatureDefMap(), (signature) => ({
      inputs: mapOf(signature.getInputsMap(), entry),
      outputs: mapOf(signature.getOutputsMap(), entry),
    }));
    signatures.delete(INITIALISER);
    return { tags: graph.getMetaInfoDef().getTagsList(), signatures };
  });
}

function mapOf<T, U>(proto: ProtoMap<T>, convert: (value: T) => U): Map<string, U> {
  const map = new Map<string, U>();
  proto.forEach((value, key) => map.set(key, convert(value)));
  return map;
}

function entry(info: TensorInfoProto): TensorEntry {
  const shape = info.getTensorShape();
  return {
    graphName: info.getName(),
    dtype: info.getDtype(),
    shape: shape === undefined || shape.getUnknownRank()
      ? undefined
      : shape.getDimList().map((dim) => dim.getSize()),
  };
}
