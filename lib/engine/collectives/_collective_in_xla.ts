/**
 * Thrown while a function is traced for XLA and turns out to wait for other processes: XLA compiles a
 * whole function, and collective ops of TensorFlow's runtime cannot be in it.
 */
export class CollectiveInXla extends Error {}
