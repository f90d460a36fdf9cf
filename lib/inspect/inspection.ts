/** Figures of the numbers of one array. Of complex numbers they are those of the magnitudes. */
export interface TensorStatistics {
  /** Elements. */
  readonly count: number;
  /** Smallest finite value, null without one; whole numbers beyond ±(2⁵³ − 1) as text. */
  readonly min: number | string | null;
  /** Largest finite value, likewise. */
  readonly max: number | string | null;
  /** Mean of the finite values; null without one. */
  readonly mean: number | null;
  /** Standard deviation of the finite values, divided by their number; null without one. */
  readonly std: number | null;
  /** Elements that are not a number, or not a time. */
  readonly nan: number;
  /** Elements that are infinite. */
  readonly infinite: number;
}

/** One array of a file. */
export interface TensorEntry {
  /** Name in the file; the file's own name where it holds one array. */
  readonly name: string;
  /** NumPy's name of the dtype; `text` for a column of a CSV file that does not hold numbers. */
  readonly dtype: string;
  /** Length along each axis. */
  readonly shape: readonly number[];
  /** Bytes in memory. */
  readonly bytes: number;
  /** Only if asked for; null where the elements are no numbers. */
  readonly statistics?: TensorStatistics | null;
  /** Only if asked for, of tables of at most 12 columns: the figures of each column. */
  readonly columns?: readonly TensorStatistics[];
}

/** What is known about a file or folder. */
export interface Inspection {
  /** What it is, e.g. `npz`; one of the names of {@linkcode KINDS}. */
  readonly kind: string;
  /** Its absolute path. */
  readonly path: string;
  /** Bytes of the file, or of all files of the folder. */
  readonly bytes: number;
  /** Its arrays. */
  readonly tensors: readonly TensorEntry[];
  /** Names in it: of arrays, columns, members, streams. */
  readonly keys: readonly string[];
  /** What else there is to say; depends on the kind. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** How thoroughly one looks. */
export interface InspectOptions {
  /** Read every value for {@linkcode TensorStatistics}; default false, headers only. */
  readonly stats?: boolean;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
  /** Called while values are read. */
  readonly onProgress?: (name: string, done: number, total: number) => void;
}

/** A file or folder as a kind sees it before it reads anything. */
export interface Place {
  /** Absolute path. */
  readonly path: string;
  /** Its last part. */
  readonly name: string;
  /** Whether it is a folder. */
  readonly isFolder: boolean;
  /** Bytes of the file; 0 of a folder. */
  readonly bytes: number;
  /** The first bytes of the file, at most 16. */
  readonly head: Uint8Array;
  /** Names in the folder, sorted. */
  readonly entries: readonly string[];
}

/** What a kind finds out. */
export type Contents = Pick<Inspection, "tensors" | "details"> & {
  /** Default: the names of the tensors. */
  readonly keys?: readonly string[];
  /** Default: the size of the file. */
  readonly bytes?: number;
};

/** One kind of file or folder that {@linkcode inspect} knows. */
export interface Kind {
  /** Its name. */
  readonly name: string;
  /** One line that says which files these are. */
  readonly summary: string;
  /** Whether a file or folder is of this kind, by name and first bytes. */
  readonly claims: (place: Place) => boolean;
  /** Looks into it. */
  readonly inspect: (place: Place, options: InspectOptions) => Contents | Promise<Contents>;
}
