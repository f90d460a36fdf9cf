/** The few parts of jasmine that the runner calls; jasmine-core 3.99 has no types of its own. */

/** A spec, as a filter sees it. */
export interface Spec {
  getFullName(): string;
}

/** How a spec ended. */
export interface SpecResult {
  readonly fullName: string;
  /** `excluded`: the filter left it out; `pending`: tfjs-core itself left it out. */
  readonly status: "passed" | "failed" | "pending" | "excluded";
  readonly failedExpectations: readonly { readonly message: string }[];
}

/** What jasmine tells while it runs. */
export interface Reporter {
  specStarted?(result: SpecResult): void;
  specDone?(result: SpecResult): void;
  suiteDone?(result: SpecResult): void;
  jasmineDone?(result: { readonly failedExpectations: SpecResult["failedExpectations"] }): void;
}

/** jasmine's environment. */
export interface Environment {
  configure(options: { random: boolean; specFilter(spec: Spec): boolean }): void;
  addReporter(reporter: Reporter): void;
  execute(): void;
}

interface Jasmine {
  getEnv(options: { suppressLoadErrors: boolean }): Environment;
}

/** What jasmine-core's module returns. */
export interface JasmineCore {
  core(self: JasmineCore): Jasmine;
  interface(jasmine: Jasmine, environment: Environment): Record<string, unknown>;
}
