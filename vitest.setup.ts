import fc from 'fast-check';

// Every run tries the same cases, so that a new failure comes from a change of the code. Another seed makes other cases.
fc.configureGlobal({ seed: Number(process.env.LOGFERRY_SEED ?? 20261122) });
