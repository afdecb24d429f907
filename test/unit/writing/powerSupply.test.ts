import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PowerMachine, readIsOnBattery } from '../../../server/writing/powerSupply.ts';

const idle = new AbortController().signal;

function failing(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** A machine without anything. */
const bare: PowerMachine = {
  platform: 'linux',
  systemRoot: 'C:\\Windows',
  listFolder: () => Promise.reject(failing('ENOENT')),
  readText: () => Promise.reject(failing('ENOENT')),
  run: () => Promise.reject(failing('ENOENT')),
};

/** @param supplies  `Mains 1`, `Battery Discharging`, `Battery Full Device`: type, state, scope */
async function checkLinux(supplies: readonly string[], expected: boolean | null): Promise<void> {
  const files = new Map<string, string>();
  supplies.forEach((supply, index) => {
    const [type = '', state = '', scope] = supply.split(' ');
    files.set(`S${index}/type`, `${type}\n`);
    files.set(`S${index}/${type === 'Battery' ? 'status' : 'online'}`, `${state}\n`);
    if (scope !== undefined) files.set(`S${index}/scope`, `${scope}\n`);
  });
  const folder = '/sys/class/power_supply';
  const machine: PowerMachine = {
    ...bare,
    listFolder: async (path) => {
      assert.equal(path, folder);
      return supplies.map((_, index) => `S${index}`);
    },
    readText: async (path) => {
      const text = files.get(path.slice(folder.length + 1));
      if (text === undefined) throw failing('ENOENT');
      return text;
    },
  };
  assert.equal(await readIsOnBattery(machine, idle), expected, supplies.join(', '));
}

async function checkOutput(
  platform: 'darwin' | 'win32',
  output: string,
  expected: boolean | null,
): Promise<void> {
  const machine: PowerMachine = {
    ...bare,
    platform,
    run: async (program) => {
      assert.match(program, platform === 'darwin' ? /^\/usr\/bin\/pmset$/ : /^C:\\Windows\\.*exe$/);
      return output;
    },
  };
  assert.equal(await readIsOnBattery(machine, idle), expected, output);
}

describe('readIsOnBattery on Linux', () => {
  it('believes the mains', async () => {
    await checkLinux(['Mains 1', 'Battery Charging'], false);
    await checkLinux(['Battery Discharging', 'Mains 1'], false);
    await checkLinux(['Mains 0', 'Battery Discharging'], true);
    await checkLinux(['Mains 0', 'Battery Full'], true);
    await checkLinux(['Mains 0', 'Mains 1', 'Battery Full'], false);
  });

  it('believes the batteries where no mains are listed', async () => {
    await checkLinux(['Battery Discharging'], true);
    await checkLinux(['Battery Charging'], false);
    await checkLinux(['Battery Full', 'Battery Discharging'], true);
    await checkLinux(['Battery Full', 'Battery Unknown'], false);
    await checkLinux(['Battery Unknown'], null);
  });

  it('looks past the batteries of mice and at nothing else', async () => {
    await checkLinux(['Battery Discharging Device'], null);
    await checkLinux(['Battery Discharging Device', 'Battery Full System'], false);
    await checkLinux(['Mains 0'], null);
    await checkLinux(['UPS Discharging', 'USB 0'], null);
    await checkLinux([], null);
  });

  it('does not know where there is nothing to read', async () => {
    assert.equal(await readIsOnBattery(bare, idle), null);
    const gone = { ...bare, listFolder: async () => ['BAT0'] };
    assert.equal(await readIsOnBattery(gone, idle), null);
  });

  it('tells an error that is not about a missing file', async () => {
    const locked = { ...bare, listFolder: () => Promise.reject(failing('EACCES')) };
    await assert.rejects(readIsOnBattery(locked, idle), { code: 'EACCES' });
  });

  it('reads no more supplies than a machine has', async () => {
    let reads = 0;
    const endless: PowerMachine = {
      ...bare,
      listFolder: async () => Array.from({ length: 10_000 }, (_, index) => `S${index}`),
      readText: async () => {
        reads += 1;
        return 'Wireless';
      },
    };
    assert.equal(await readIsOnBattery(endless, idle), null);
    assert.equal(reads, 64);
  });

  it('stops when nobody waits any more', async () => {
    const machine = { ...bare, listFolder: async () => ['BAT0'] };
    await assert.rejects(readIsOnBattery(machine, AbortSignal.abort()), { name: 'AbortError' });
  });
});

describe('readIsOnBattery elsewhere', () => {
  it('reads what pmset says on macOS', async () => {
    const battery = ' -InternalBattery-0 (id=1)\t80%; discharging; 5:02 remaining present: true\n';
    await checkOutput('darwin', `Now drawing from 'Battery Power'\n${battery}`, true);
    await checkOutput('darwin', "Now drawing from 'AC Power'\n", false);
    await checkOutput('darwin', "Now drawing from 'UPS Power'\n", null);
    await checkOutput('darwin', '', null);
  });

  it('reads what PowerShell says on Windows', async () => {
    await checkOutput('win32', '1\r\n', true);
    await checkOutput('win32', '5\r\n', true);
    await checkOutput('win32', '2\r\n', false);
    await checkOutput('win32', '7\r\n', false);
    await checkOutput('win32', '1\r\n2\r\n', false);
    await checkOutput('win32', '', null);
    await checkOutput('win32', '10\r\n', null);
    await checkOutput('win32', 'Get-CimInstance : Access denied', null);
  });

  it('passes on that a program could not be run', async () => {
    await assert.rejects(readIsOnBattery({ ...bare, platform: 'darwin' }, idle), /ENOENT/);
    await assert.rejects(readIsOnBattery({ ...bare, platform: 'win32' }, idle), /ENOENT/);
  });

  it('does not know on other platforms', async () => {
    assert.equal(await readIsOnBattery({ ...bare, platform: 'freebsd' }, idle), null);
  });
});
