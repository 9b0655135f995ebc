export const createAny = (options) => options;
