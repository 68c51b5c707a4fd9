/** `mediasweep emulate` by itself: a process on a port, whose switches are set beforehand and changed while it runs. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { emulators } from '../../src/vendors/emulators.ts';
import { startCommand } from '../support/command.ts';

test.each([
  {
    vendor: 'pai',
    set: 'resultTail=always',
    changes: { duration: 'float', customModels: { acme: { units: 2 } } },
  },
  { vendor: 'qiniu', set: 'intervalBounds=[1,60]', changes: { callbacks: 'dropped' } },
])('of $vendor listens, tells its credentials and switches, and ends in good order', async ({
  vendor,
  set,
  changes,
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'mediasweep-emulate-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { process: child, ended } = startCommand(['emulate', vendor, '--port', '0', '--set', set, '--json'], {
    folder,
  });
  onTestFinished(() => void child.kill());
  let told = '';
  child.stdout?.on('data', (text: string) => {
    told += text;
  });
  while (!told.trimEnd().endsWith('}')) await once(child.stdout ?? child, 'data');
  const { url, credentials, switches } = JSON.parse(told);
  expect(credentials).toEqual(emulators.find((one) => one.vendor === vendor)?.credentials);
  const [name = '', value = ''] = set.split('=');
  expect(switches[name]).toEqual(name === 'intervalBounds' ? [1, 60] : value);
  const answer = await fetch(`${url}/_emulator/switches`, { method: 'POST', body: JSON.stringify(changes) });
  const merged: Record<string, unknown> = JSON.parse(await answer.text());
  expect([answer.status, merged]).toMatchObject([200, { [name]: switches[name] }]);
  expect(Object.keys(changes).map((key) => merged[key])).not.toEqual(
    Object.keys(changes).map((key) => switches[key]),
  );
  const state = await (await fetch(`${url}/_emulator/state`)).json();
  expect(state).toMatchObject({ requests: 0, submissions: 0 });
  child.kill('SIGTERM');
  expect((await ended).exitCode).toBe(0);
});
