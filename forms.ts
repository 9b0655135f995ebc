/** Tests that need minutes have a short form in `npm test`, and are here in full: `npm run test:full`. */
export const full: boolean = process.env.LOGFERRY_FULL === '1';
