export { type CommandDeliveryOptions, type Config, defineConfig } from './options/config.js';
