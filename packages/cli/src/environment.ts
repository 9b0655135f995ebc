/** The environment as the command got it: for the programs that it starts. */
export const givenEnv: NodeJS.ProcessEnv = { ...process.env };

// The AWS SDK warns of its own plans for old versions of Node.js. Who runs a command cannot act on it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
