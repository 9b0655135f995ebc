export type { ContractAssert, ContractRunner } from './contract-runner.js';
export {
  type DestinationHarness,
  destinationContract,
  type FailureKind,
  type TestService,
} from './destination-contract.js';
export type { ForeignAnswer } from './foreign-answers.js';
export { MemoryDestination, never } from './memory-destination.js';
export { type RunningLogger, type TransportHarness, transportContract } from './transport-contract.js';
export { VirtualClock } from './virtual-clock.js';
