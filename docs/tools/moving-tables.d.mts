/** The pages, as paths below `docs`. */
export const movingPages: readonly string[];

/** A page with its tables as they have to be. */
export function withTables(text: string): string;
