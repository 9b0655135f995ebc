import fc from 'fast-check';

// Every run tries the same cases, so that a change is judged by itself; another seed makes others.
fc.configureGlobal({ seed: Number(process.env.LOGFERRY_SEED ?? 20261122) });
