exports.createAny = (options) => options;
