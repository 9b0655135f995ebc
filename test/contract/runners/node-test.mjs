import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationContract } from '@logferry/core/testing';
import { startCollector } from './collector.mjs';

const faults = JSON.parse(process.env.PLANTED_FAULTS);
destinationContract({ test, assert }, { name: 'collector', start: () => startCollector(faults) });
