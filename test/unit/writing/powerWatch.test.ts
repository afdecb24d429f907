import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { nullLogger } from '../../../server/base/logger.ts';
import { PowerWatch } from '../../../server/writing/powerWatch.ts';
import { SteppedClock } from '../../support/steppedClock.ts';

/** A machine whose power changes, and who is told of it. */
class Machine {
  power: boolean | null | Error = false;
  reads = 0;
  readonly told: (boolean | null)[] = [];
  readonly warnings: string[] = [];
  readonly clock = new SteppedClock();
  readonly watch = new PowerWatch({
    read: async () => {
      this.reads += 1;
      if (this.power instanceof Error) throw this.power;
      return this.power;
    },
    clock: this.clock,
    logger: { ...nullLogger, warn: (message) => void this.warnings.push(message) },
    onChange: (isOnBattery) => void this.told.push(isOnBattery),
  });

  async pass(durationMs: number): Promise<void> {
    this.clock.pass(durationMs);
    await setImmediate();
  }
}

describe('PowerWatch', () => {
  it('does not look before someone wants to know', async () => {
    const machine = new Machine();
    await machine.pass(600_000);
    assert.equal(machine.reads, 0);
    assert.equal(machine.watch.isOnBattery, null);
  });

  it('looks at once, then every minute, and tells what changes', async () => {
    const machine = new Machine();
    machine.watch.want(true);
    await machine.pass(0);
    assert.equal(machine.watch.isOnBattery, false);
    machine.power = true;
    await machine.pass(59_999);
    assert.equal(machine.reads, 1);
    await machine.pass(1);
    await machine.pass(60_000);
    assert.equal(machine.reads, 3);
    machine.power = null;
    await machine.pass(60_000);
    assert.deepEqual(machine.told, [false, true, null]);
  });

  it('does not look any more when nobody wants to know', async () => {
    const machine = new Machine();
    machine.watch.want(true);
    await machine.pass(0);
    machine.watch.want(false);
    assert.deepEqual(machine.told, [false, null]);
    await machine.pass(600_000);
    assert.equal(machine.reads, 1);
  });

  it('looks once a minute however often the setting changes, and knows what it knew', async () => {
    const machine = new Machine();
    machine.power = true;
    machine.watch.want(true);
    await machine.pass(0);
    for (let time = 0; time < 20; time++) {
      machine.watch.want(false);
      machine.watch.want(true);
      machine.watch.want(true);
      await machine.pass(1000);
    }
    assert.equal(machine.watch.isOnBattery, true);
    assert.equal(machine.reads, 1);
    await machine.pass(40_000);
    assert.equal(machine.reads, 2);
  });

  it('leaves aside what it hears when nobody wants to know any more', async () => {
    for (const end of ['want', 'dispose'] as const) {
      const machine = new Machine();
      machine.power = true;
      machine.watch.want(true);
      if (end === 'want') machine.watch.want(false);
      else machine.watch.dispose();
      await machine.pass(600_000);
      assert.deepEqual(machine.told, []);
      assert.equal(machine.reads, 1);
    }
  });

  it('does not know while the machine cannot be read, says so once, and goes on', async () => {
    const machine = new Machine();
    machine.power = new Error('no such program');
    machine.watch.want(true);
    await machine.pass(0);
    await machine.pass(60_000);
    assert.equal(machine.watch.isOnBattery, null);
    assert.deepEqual(machine.warnings, ['power supply could not be read: Error: no such program']);
    machine.power = true;
    await machine.pass(60_000);
    assert.deepEqual(machine.told, [true]);
  });
});
