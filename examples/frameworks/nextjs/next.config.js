// Kept out of the bundle: a worker thread has files of its own.
export default { serverExternalPackages: ['@logferry/winston', 'winston'] };
