import { describe, expect, test } from 'vitest';
import type { Spine } from '../../src/cli/spine.ts';
import { noFaults } from '../../src/domain/emulator.ts';
import { catalogue } from '../../src/vendors/index.ts';
import { speak } from './desk.ts';

type Asked = Parameters<Spine['emulate']>;

/** A stand-in that notes how it was started, and whether it was closed. */
function makeStage() {
  const asked: Asked[] = [];
  const stop = new AbortController();
  let isClosed = false;
  const given: Partial<Spine> = {
    catalogue: async () => catalogue,
    emulate: async (...request) => {
      asked.push(request);
      setImmediate(() => stop.abort('SIGINT'));
      const close = async () => {
        isClosed = true;
      };
      return {
        url: 'http://127.0.0.1:8801',
        credentials: { accessKey: 'emulated', secretKey: 'made-up' },
        switches: { callbacks: 'twice', intervalBounds: [1, 60] },
        close,
      };
    },
  };
  return { asked, given, stop: stop.signal, isClosed: () => isClosed };
}

describe('emulate', () => {
  test('prints where it listens and what it does, and runs until it is told to stop', async () => {
    const stage = makeStage();
    const { exitCode, out, err } = await speak('emulate qiniu --port 8801', stage.given, {
      stop: stage.stop,
    });
    expect(exitCode).toBe(0);
    expect(stage.isClosed()).toBe(true);
    expect(out.split('\n')).toEqual([
      'stand-in for qiniu: checks signatures, fetches media from loopback addresses, keeps jobs, counts units',
      '  endpoint     http://127.0.0.1:8801',
      '  credentials  accessKey: emulated',
      '               secretKey: made-up',
      '  faults       none',
      '  pace         each answer after 0 ms, jobs end after 400 ms',
      '  switches     callbacks: twice',
      '               intervalBounds: [1,60]',
      '  state        http://127.0.0.1:8801/_emulator/state',
      '',
    ]);
    expect(err).toBe(
      'Put endpoint and credentials into an account of config/accounts.yaml. Ctrl-C ends it.\n',
    );
    expect(stage.asked).toEqual([
      ['qiniu', { port: 8801, host: '127.0.0.1', faults: { ...noFaults, seed: '1' }, switches: {} }],
    ]);
  });

  test('takes switches as text or JSON', async () => {
    const stage = makeStage();
    const flags =
      '--set callbacks=twice --set intervalBounds=[1,60] --set resultTail="always" --set keepsEmptyFrames=true';
    await speak(`emulate qiniu ${flags}`, stage.given, { stop: stage.stop });
    expect(stage.asked[0]?.[1].switches).toEqual({
      callbacks: 'twice',
      intervalBounds: [1, 60],
      resultTail: 'always',
      keepsEmptyFrames: true,
    });
    const { exitCode, err } = await speak('emulate qiniu --set twice', stage.given);
    expect(exitCode).toBe(2);
    expect(err).toContain('expected NAME=VALUE, such as callbacks=twice.');
  });

  test('takes every fault, as a share or in percent', async () => {
    const stage = makeStage();
    const flags =
      '--slow-down 0.05 --server-error 1% --reset-before .5 --reset-after 0 --model-failure 1 --delay 20 --job 5s --seed s7 --host ::1';
    const { out } = await speak(`emulate pai ${flags}`, stage.given, { stop: stage.stop });
    expect(stage.asked[0]?.[1]).toEqual({
      port: 0,
      host: '::1',
      faults: {
        seed: 's7',
        slowDown: 0.05,
        serverError: 0.01,
        resetBefore: 0.5,
        resetAfter: 0,
        modelFailure: 1,
        delayMs: 20,
        jobMs: 5000,
      },
      switches: {},
    });
    expect(out).toContain('of the requests, by seed "s7":\n               5 % are told to slow down\n');
    expect(out).toContain('1 % meet a server error');
    expect(out).toContain('50 % lose the connection before the work');
    expect(out).toContain('100 % fail in the model');
    expect(out).toContain('each answer after 20 ms, jobs end after 5 s');
    expect(out).not.toContain('which is billed');
  });

  test('with --json prints one document as soon as it listens', async () => {
    const stage = makeStage();
    const { out, err } = await speak('emulate pai --json', stage.given, { stop: stage.stop });
    expect(err).toBe('');
    expect(JSON.parse(out)).toEqual({
      vendor: 'pai',
      url: 'http://127.0.0.1:8801',
      credentials: { accessKey: 'emulated', secretKey: 'made-up' },
      switches: { callbacks: 'twice', intervalBounds: [1, 60] },
      faults: { ...noFaults, seed: '1' },
      state: 'http://127.0.0.1:8801/_emulator/state',
    });
  });

  test('that was told to stop before it listened stops', async () => {
    const stage = makeStage();
    const { exitCode } = await speak('emulate pai', stage.given, { stop: AbortSignal.abort() });
    expect([exitCode, stage.isClosed()]).toEqual([0, true]);
  });

  test('of a vendor that is not there is wrong use', async () => {
    expect(await speak('emulate quiniu', makeStage().given)).toEqual({
      exitCode: 2,
      out: '',
      err: 'error mediasweep emulate: there is no vendor "quiniu". Did you mean "qiniu"? There are pai and qiniu.\n',
    });
  });
});
