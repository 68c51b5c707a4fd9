import { describe, expect, test } from 'vitest';
import type { Places } from '../../src/cli/spine.ts';
import { exitCodes, Stop, wrongUse } from '../../src/domain/problem.ts';
import { makeReport, makeTerminal, speak } from './desk.ts';

describe('wrong use', () => {
  test.each([
    [
      'run a.yaml --cap much',
      `error option "--cap <money>" argument "much" is invalid: expected an amount such as 100CNY, "100 CNY" or 0.5. See: mediasweep run --help\n`,
    ],
    ['chek', 'error unknown command "chek". Did you mean "check"? See: mediasweep --help\n'],
    ['frobnicate', 'error unknown command "frobnicate". See: mediasweep --help\n'],
    [
      'run a.yaml --limt 5',
      'error unknown option "--limt". Did you mean "--limit"? See: mediasweep run --help\n',
    ],
    ['status --jso', 'error unknown option "--jso". Did you mean "--json"? See: mediasweep status --help\n'],
    ['run', 'error missing required argument "pipeline". See: mediasweep run --help\n'],
    [
      'run a.yaml b.yaml',
      'error too many arguments for "run". Expected 1 argument but got 2. See: mediasweep run --help\n',
    ],
    [
      'run a.yaml --limit 0',
      'error option "--limit <count>" argument "0" is invalid: expected a whole number from 1 up. See: mediasweep run --help\n',
    ],
    [
      'run a.yaml --tolerance 2%',
      'error --tolerance: expected --plan FILE beside it, found none. It says by how much that may be passed.\n',
    ],
    [
      'run a.yaml --plan p.json --tolerance 200%',
      'error option "--tolerance <share>" argument "200%" is invalid: expected a share from 0 to 1, such as 2% or 0.02. See: mediasweep run --help\n',
    ],
    [
      'run a.yaml --plan p.json --fresh',
      'error option "--plan <file>" cannot be used with option "--fresh". See: mediasweep run --help\n',
    ],
    [
      'estimate a.yaml --plan-out p.json --sample 1%',
      'error option "--plan-out <file>" cannot be used with option "--sample <share>". See: mediasweep estimate --help\n',
    ],
    [
      'run a.yaml --grace soon',
      'error option "--grace <time>" argument "soon" is invalid: expected a duration such as 25s, 500ms or 2m. See: mediasweep run --help\n',
    ],
    [
      'run a.yaml --until 24:00',
      'error option "--until <time>" argument "24:00" is invalid: expected a time of day such as 06:00 or 23:30. See: mediasweep run --help\n',
    ],
    [
      'run a.yaml --fresh --resume',
      'error option "--fresh" cannot be used with option "--resume". See: mediasweep run --help\n',
    ],
    [
      'run a.yaml --fail-on pass',
      'error option "--fail-on <verdict>" argument "pass" is invalid. Allowed choices are review, block. See: mediasweep run --help\n',
    ],
    [
      'run a.yaml --new --resume',
      'error option "--new" cannot be used with option "--resume". See: mediasweep run --help\n',
    ],
    [
      'emulate pai --slow-down 2',
      'error option "--slow-down <chance>" argument "2" is invalid: expected a chance from 0 to 1, such as 0.05 or 5%. See: mediasweep emulate --help\n',
    ],
    [
      'emulate pai --port 70000',
      'error option "--port <port>" argument "70000" is invalid: expected a port from 0 to 65535; 0 takes any free one. See: mediasweep emulate --help\n',
    ],
    [
      'emulate pai --job never',
      'error option "--job <time>" argument "never" is invalid: expected milliseconds such as 250, or a duration such as 2s. See: mediasweep emulate --help\n',
    ],
    ['emulate pai --port', 'error option "--port <port>" argument missing. See: mediasweep emulate --help\n'],
    [
      '--log yaml status',
      'error option "--log <form>" argument "yaml" is invalid. Allowed choices are text, json. See: mediasweep status --help\n',
    ],
  ])('"%s" is refused with exit 2 and a word of help', async (line, err) => {
    expect(await speak(line)).toEqual({ exitCode: 2, out: '', err });
  });

  test('an escape sequence among the words does not reach the terminal', async () => {
    const { err } = await speak(['\x1b]0;owned\x07']);
    expect(err).toBe('error unknown command "\\x1b]0;owned\\x07". See: mediasweep --help\n');
  });
});

describe('global options', () => {
  const everywhere = ['--config', 'c', '--state', 's', '--out', 'o'];
  test.each([
    ['before the command', [...everywhere, 'report', 'latest']],
    ['after it', ['report', ...everywhere, 'latest']],
    ['on both sides', ['--config', 'c', 'report', 'latest', '--state=s', '--out=o']],
  ])('work %s', async (_, argv) => {
    const asked: [string, Places][] = [];
    const report = async (selector: string, places: Places) => {
      asked.push([selector, places]);
      return makeReport();
    };
    expect((await speak(argv, { report })).exitCode).toBe(0);
    expect(asked).toEqual([['latest', { config: 'c', state: 's', out: 'o' }]]);
  });

  test.each([
    ['--json report'],
    ['report --json'],
    ['report latest --json'],
  ])('"%s" prints one document', async (line) => {
    const { out } = await speak(line, { report: async () => makeReport() });
    expect(JSON.parse(out)).toMatchObject({ run: '20261120T020000Z-audit' });
  });
});

describe('trouble', () => {
  const problem = {
    file: 'config/accounts.yaml',
    line: 4,
    column: 12,
    path: 'accounts.x.token',
    message: 'is not set.',
  };

  test('that ends a command is told with its problems, under its own exit code', async () => {
    const report = async () => {
      throw new Stop(exitCodes.locked, 'pipeline "audit" is being run by process 17.', [problem, problem]);
    };
    expect(await speak('report', { report })).toEqual({
      exitCode: 6,
      out: '',
      err: 'error pipeline "audit" is being run by process 17.\nconfig/accounts.yaml:4:12 accounts.x.token: is not set.\n',
    });
  });

  test('stays on stderr with --json', async () => {
    const report = async () => {
      throw wrongUse('there is no run "x".');
    };
    expect(await speak('report --json', { report })).toEqual({
      exitCode: 2,
      out: '',
      err: 'error there is no run "x".\n',
    });
  });

  test('that nobody foresaw is our mistake, with the stack, the causes and exit 70', async () => {
    const report = async () => {
      const cause = new TypeError('x is not a function');
      throw new Error('cannot read https://s3.example/a.jpg?X-Amz-Signature=secret', { cause });
    };
    const { exitCode, out, err } = await speak('report', { report });
    expect([exitCode, out]).toEqual([70, '']);
    expect(err).toContain('error this is a mistake of mediasweep: cannot read https://s3.example/a.jpg');
    expect(err).toContain('usage.test.ts');
    expect(err).toContain('caused by: TypeError: x is not a function');
    expect(err).not.toContain('secret');
  });

  test('of any thrown value is told', async () => {
    const report = () => Promise.reject('just words' as unknown as Error);
    const { exitCode, err } = await speak('report', { report });
    expect(exitCode).toBe(70);
    expect(err).toContain('this is a mistake of mediasweep: just words.');
  });

  test.each([
    ['wrong use', 'report --nope --log json', {}, 2, 'unknown option "--nope"'],
    [
      'a stop',
      'report --log json',
      { report: () => Promise.reject(wrongUse('no run.', [problem])) },
      2,
      'no run.',
    ],
    [
      'a mistake',
      '--log json report',
      { report: () => Promise.reject(new Error('oops')) },
      70,
      'this is a mistake',
    ],
  ])('of %s is JSON with --log json', async (_, line, given, exitCode, message) => {
    const spoken = await speak(line, given);
    const documents = spoken.err
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(spoken.exitCode).toBe(exitCode);
    expect(documents[0]).toMatchObject({ level: 'error', time: '2026-11-20T02:00:00.000Z', exitCode });
    expect(documents[0]?.['msg']).toContain(message);
    expect(documents.length).toBe(line === 'report --log json' ? 2 : 1);
  });

  test('has its colour only on a terminal that has colours', async () => {
    const terminal = makeTerminal({ useColour: true });
    expect((await speak('nope', {}, { terminal })).err).toContain('\x1b[31merror\x1b[39m unknown command');
  });
});
