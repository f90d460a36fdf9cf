export * from "./groups.ts";
export * from "./weight_table.ts";
