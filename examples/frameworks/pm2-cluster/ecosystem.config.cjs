// pm2 start ecosystem.config.cjs
module.exports = {
  apps: [
    {
      name: 'shop',
      script: 'server.js',
      exec_mode: 'cluster',
      instances: 2,
      wait_ready: true,
      // After 1.6 s PM2 would kill a process that delivers its last records, which takes up to closeTimeoutMs: 5 s.
      kill_timeout: 10_000,
    },
  ],
};
