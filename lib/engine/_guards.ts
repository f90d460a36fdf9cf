/** What a function must not do while it is traced, and errors that name where it did. */
import * as tf from "@tensorflow/tfjs";
import type { TensorFlowBackend } from "./tensorflow/_backend.ts";

/** tfjs's random ops draw in JavaScript, so a trace would keep the one draw for ever. */
const RANDOM_OPS = new Set([
  "dropout",
  "multinomial",
  "rand",
  "randomGamma",
  "randomNormal",
  "randomStandardNormal",
  "randomUniform",
  "randomUniformInt",
  "truncatedNormal",
]);

const ENGINE_FOLDER = new URL(".", import.meta.url).href;

/** The first place on the stack that belongs neither to tfjs nor to this engine. */
export function callSite(stack: string | undefined): string {
  for (const line of stack?.split("\n").slice(1) ?? []) {
    const [, where] = /\(?((?:file|https?|data|npm):[^\s)]+:\d+:\d+)\)?$/.exec(line) ?? [];
    if (where === undefined) continue;
    if (where.startsWith(ENGINE_FOLDER) || where.includes("/@tensorflow/")) continue;
    return where;
  }
  return "an unknown place";
}

/** The error for something a traced function must not do. */
export function refusal(name: string, problem: string): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  const error = new Error();
  Error.stackTraceLimit = limit;
  return new Error(`Cannot compile "${name}" at ${callSite(error.stack)}: ${problem}`);
}

interface Scopes {
  startScope(name?: string): void;
}

/**
 * Makes host reads, JavaScript random numbers and `tf.Variable`s throw until the result is called.
 *
 * @param native The native backend.
 * @param name The function being traced.
 */
export function guardHost(native: TensorFlowBackend, name: string): () => void {
  const refuse = (problem: string): never => {
    throw refusal(name, problem);
  };
  const refuseDraw = (source: string): never =>
    refuse(
      `random numbers drawn in JavaScript would be the same in every call, current value is ${source}; use Random with a counter that is an input`,
    );
  const engine = tf.engine() as unknown as Scopes;
  const startScope = engine.startScope;
  engine.startScope = function (scope) {
    const op = scope?.replace(/__op$/, "");
    if (op !== undefined && RANDOM_OPS.has(op)) refuseDraw(`tf.${op}`);
    return startScope.call(engine, scope);
  };
  const random = Math.random;
  Math.random = () => refuseDraw("Math.random");
  const { getRandomValues } = crypto;
  crypto.getRandomValues = () => refuseDraw("crypto.getRandomValues");
  const { assign } = tf.Variable.prototype;
  tf.Variable.prototype.assign = () =>
    refuse(
      "a tf.Variable cannot be assigned in a compiled function, current value is tf.Variable; use variable()",
    );
  native.beginTrace(refuse);
  return () => {
    engine.startScope = startScope;
    Math.random = random;
    crypto.getRandomValues = getRandomValues;
    tf.Variable.prototype.assign = assign;
    native.endTrace();
  };
}
