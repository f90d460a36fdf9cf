/**
 * The child process in which the reading and writing of files is measured: without an engine, whose
 * memory would count.
 *
 * @module
 */
import { cacheSubject } from "./_cache_subject.ts";
import { csvSubject } from "./_csv_subject.ts";
import { loaderSubject } from "./_loader_subject.ts";
import { npzSubject } from "./_npz_subject.ts";
import { preprocessSubject } from "./_preprocess_subject.ts";
import type { Subject } from "./_subject.ts";
import { serve } from "./_worker_loop.ts";

const SUBJECTS: Record<string, (config: never) => Promise<Subject> | Subject> = {
  cache: cacheSubject,
  csv: csvSubject,
  loader: loaderSubject,
  npz: npzSubject,
  preprocess: preprocessSubject,
};

if (import.meta.main) {
  await serve((config) => SUBJECTS[config.subject]!(config as never));
}
