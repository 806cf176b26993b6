import { describe, expect, it } from 'vitest';
import { FaultWarnings, knownFaults } from '../../src/engine/known-faults.ts';
import { logLines } from '../reconcile/log-lines.ts';

const faultsOf = (version: string, liveRestore = false) => knownFaults({ version, liveRestore });

describe('an engine that dies when a container stops', () => {
  it.each(['29.0.0-rc.1', '29.0.0', '29.0.1', '29.0.2', '29.0.2+dfsg1', '29.1.0-rc.1', '29.1.0~rc.1'])(
    '%s',
    version => {
      expect(faultsOf(version)).toEqual([expect.stringContaining('moby#51554')]);
      expect(faultsOf(version)[0]).toMatch(`engine ${version} dies whenever`);
    },
  );
});

describe('nothing is said of', () => {
  it.each([
    '20.10.24+dfsg1',
    '23.0.7',
    '26.1.5+dfsg1',
    '28.5.2+dfsg4',
    '29.0.3',
    '29.1.0',
    '29.1.0-rc.2',
    '29.7.2',
    '30.0.0',
  ])('%s', version => {
    expect(faultsOf(version)).toEqual([]);
  });

  it.each(['', 'dev', 'library-import', '0.0.0-20261121120000-b985e2313a', '29', 'x29.0.1', '29.0.x'])(
    'what is no release: %j',
    version => expect(faultsOf(version, true)).toEqual([]),
  );
});

it('an engine 29 with live-restore forgets who the way out is', () => {
  expect(faultsOf('29.7.2', true)).toEqual([expect.stringContaining('docker network connect')]);
  expect(faultsOf('28.5.2', true)).toEqual([]);
  expect(faultsOf('29.0.1', true)).toHaveLength(2);
});

it.each(['19.03.15', '20.9.9', '18.06.1-ce'])('an engine %s is too old', version => {
  expect(faultsOf(version)).toEqual([expect.stringContaining('20.10 or later')]);
});

it('each fault is told once, and again of the version that follows', () => {
  const { log, lines } = logLines();
  const warnings = new FaultWarnings(log);
  for (const version of ['29.0.0', '29.0.0', '29.0.1', '29.0.3', '29.0.0'])
    warnings.tell({ version, liveRestore: false });
  expect(lines.map(line => line.slice(0, 30))).toEqual([
    'warn: engine 29.0.0 dies whene',
    'warn: engine 29.0.1 dies whene',
  ]);
});
