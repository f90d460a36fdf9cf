/** A value on an axis: a number, or a name on an axis of categories. */
export type Coordinate = number | string;

/** How a line is drawn; names and values are Plotly's. */
export interface LineStyle {
  /** `#rrggbb`. */
  readonly color?: string;
  /** Pixels; default 2. */
  readonly width?: number;
  /** Default solid. */
  readonly dash?: "solid" | "dash" | "dot" | "dashdot";
}

/** How points and bars are drawn. */
export interface MarkerStyle {
  /** `#rrggbb`. */
  readonly color?: string;
  /** Pixels across; default 6. */
  readonly size?: number;
  /** Default circle. */
  readonly symbol?: "circle" | "square" | "diamond" | "triangle-up";
}

/** Bars of uncertainty above and below points. */
export interface ErrorBars {
  /** Lengths are given. */
  readonly type: "data";
  /** Upwards. */
  readonly array: readonly number[];
  /** Downwards. */
  readonly arrayminus: readonly number[];
}

/** Numbers of axes: the first is `x`, the next `x2`. */
export type AxisId<A extends "x" | "y"> = A | `${A}${number}`;

/** What all traces have. */
export interface TraceBase {
  /** Along the horizontal axis. */
  readonly x: readonly Coordinate[];
  /** Upwards; null interrupts a line. */
  readonly y: readonly (number | null)[];
  /** Name in the legend. */
  readonly name?: string;
  /** Traces of one group share one entry of the legend. */
  readonly legendgroup?: string;
  /** Whether it is in the legend; default true. */
  readonly showlegend?: boolean;
  /** Colour of points and bars. */
  readonly marker?: MarkerStyle;
  /** Horizontal axis; default `x`. */
  readonly xaxis?: AxisId<"x">;
  /** Vertical axis; default `y`. */
  readonly yaxis?: AxisId<"y">;
  /** Uncertainty. */
  readonly error_y?: ErrorBars;
  /** 0 to 1; default 1. */
  readonly opacity?: number;
}

/** Lines, points, or both. */
export interface ScatterTrace extends TraceBase {
  /** Kind of trace. */
  readonly type: "scatter";
  /** What is drawn. */
  readonly mode: "lines" | "markers" | "lines+markers";
  /** The line. */
  readonly line?: LineStyle;
}

/** Vertical bars. */
export interface BarTrace extends TraceBase {
  /** Kind of trace. */
  readonly type: "bar";
  /** Written above each bar. */
  readonly text?: readonly string[];
  /** Where the text is. */
  readonly textposition?: "outside";
}

/** Bars to the right of their names; all bars of a figure lie, or none. */
export interface HorizontalBarTrace extends Omit<TraceBase, "x" | "y" | "error_y"> {
  /** Kind of trace. */
  readonly type: "bar";
  /** Lying. */
  readonly orientation: "h";
  /** Lengths. */
  readonly x: readonly (number | null)[];
  /** Names. */
  readonly y: readonly string[];
  /** Uncertainty. */
  readonly error_x?: ErrorBars;
  /** Written at the end of each bar. */
  readonly text?: readonly string[];
  /** Where the text is. */
  readonly textposition?: "outside";
}

/** A grid of coloured cells. */
export interface HeatmapTrace extends Omit<TraceBase, "x" | "y" | "marker" | "error_y"> {
  /** Kind of trace. */
  readonly type: "heatmap";
  /** Middles of the columns, evenly spaced. */
  readonly x: readonly number[];
  /** Middles of the rows, evenly spaced. */
  readonly y: readonly number[];
  /** Rows of values; null has no colour. */
  readonly z: readonly (readonly (number | null)[])[];
  /** Value of the first colour. */
  readonly zmin: number;
  /** Value of the last colour. */
  readonly zmax: number;
  /** Places from 0 to 1 and colours. */
  readonly colorscale: readonly (readonly [number, string])[];
  /** Whether the scale stands beside the figure; default true. */
  readonly showscale?: boolean;
  /** The scale beside the figure. */
  readonly colorbar?: {
    /** What the values are, with their unit. */
    readonly title: {
      /** The text. */
      readonly text: string;
    };
  };
  /** Written into the cells. */
  readonly text?: readonly (readonly string[])[];
  /** That `text` is written. */
  readonly texttemplate?: "%{text}";
}

/** A line or points in space; a figure has only such traces, or none. */
export interface Scatter3dTrace extends Omit<TraceBase, "x" | "y" | "error_y" | "xaxis" | "yaxis"> {
  /** It stands between no two axes. */
  readonly xaxis?: never;
  /** It stands between no two axes. */
  readonly yaxis?: never;
  /** Kind of trace. */
  readonly type: "scatter3d";
  /** What is drawn. */
  readonly mode: "lines" | "markers" | "lines+markers";
  /** First coordinate. */
  readonly x: readonly number[];
  /** Second coordinate. */
  readonly y: readonly number[];
  /** Third coordinate, upwards. */
  readonly z: readonly number[];
  /** The line. */
  readonly line?: LineStyle;
}

/** Traces whose values go upwards. */
export type UprightTrace = ScatterTrace | BarTrace;

/** Traces between two axes of numbers. */
export type PanelTrace = UprightTrace | HeatmapTrace;

/** The kinds of traces that trocar makes and {@linkcode renderSvg} draws; a subset of Plotly's. */
export type Trace = PanelTrace | HorizontalBarTrace | Scatter3dTrace;

/** An axis. */
export interface Axis {
  /** What is along it, with its unit. */
  readonly title?: {
    /** The text. */
    readonly text: string;
  };
  /** Part of the figure's width or height, 0 to 1; default all. */
  readonly domain?: readonly [number, number];
  /** The axis at which this one stands; default the other of the same number. */
  readonly anchor?: AxisId<"x"> | AxisId<"y">;
  /** Default linear, or categories where x are names. */
  readonly type?: "linear" | "log" | "category";
  /** The axis whose ends this one always has, also when it is zoomed. */
  readonly matches?: AxisId<"x">;
  /** Ends of the axis; of a logarithmic one their decimal logarithms. Default from the data. */
  readonly range?: readonly [number, number];
  /** `tozero` starts at 0. */
  readonly rangemode?: "tozero";
  /** `reversed`: names of lying bars from top to bottom. */
  readonly autorange?: "reversed";
  /** Room for names as long as they are; {@linkcode renderSvg} always leaves it. */
  readonly automargin?: true;
  /** Whether numbers stand at the ticks; default true. */
  readonly showticklabels?: boolean;
  /** Decades between the ticks of a logarithmic axis; {@linkcode renderSvg} chooses by itself. */
  readonly dtick?: 1;
  /** Where ticks stand; default at round numbers. */
  readonly tickvals?: readonly number[];
  /** What is written at `tickvals`. */
  readonly ticktext?: readonly string[];
  /** Format of the numbers; `.0%` for shares. */
  readonly tickformat?: ".0%";
}

/** Everything of a figure but its data; names are Plotly's. */
export interface Layout {
  /** Heading. */
  readonly title?: {
    /** The text. */
    readonly text: string;
  };
  /** Pixels; default 680. */
  readonly width?: number;
  /** Pixels; default 340. */
  readonly height?: number;
  /** Bars of one place stand side by side. */
  readonly barmode?: "group";
  /** First horizontal axis. */
  readonly xaxis?: Axis;
  /** First vertical axis. */
  readonly yaxis?: Axis;
  /** The axes of a figure in space. */
  readonly scene?: {
    /** First axis. */
    readonly xaxis: Axis;
    /** Second axis. */
    readonly yaxis: Axis;
    /** Third axis. */
    readonly zaxis: Axis;
    /** One unit is equally long along all three. */
    readonly aspectmode: "data";
  };
  /** Further axes. */
  readonly [axis: `xaxis${number}` | `yaxis${number}`]: Axis;
}

/** A figure: what Plotly's `newPlot` takes. */
export interface Figure {
  /** What is drawn. */
  readonly data: readonly Trace[];
  /** How. */
  readonly layout: Layout;
}
