import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeTerminal, speak } from './desk.ts';

const commands = [
  'init',
  'check',
  'estimate',
  'run',
  'status',
  'report',
  'judge',
  'diff',
  'catalogue',
  'schema',
  'emulate',
  'rehearse',
] as const;

const parts = [
  'review import',
  'review list',
  'held list',
  'held resend',
  'held forget',
  'failed list',
  'failed acknowledge',
  'ledger prune',
  'ledger restore',
  'ledger prune',
  'ledger restore',
] as const;

describe('help', () => {
  test('of the program lists every command that works, the exit codes and examples, and asks the program nothing', async () => {
    const { exitCode, out, err } = await speak('--help');
    expect([exitCode, err]).toEqual([0, '']);
    for (const command of commands) expect(out).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    expect(out).toContain('Examples:\n  mediasweep rehearse');
    expect(out).toContain('6 another run holds');
    expect(out).toContain('NO_COLOR');
  });

  test.each([
    ...commands,
    ...parts,
  ])('of %s has a description, examples and the global options', async (command) => {
    const { exitCode, out, err } = await speak(`${command} --help`);
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain(`Usage: mediasweep ${command}`);
    expect(out).toContain(`Examples:\n  mediasweep ${command}`);
    expect(out).toContain('Global Options:');
    expect(out).toContain('--log <form>');
  });

  test.each([...commands, ...parts])('of %s says what --json prints', async (command) => {
    const { out } = await speak(`${command} --help`);
    expect(out.split('Examples:')[1]).toContain('--json');
  });

  test('by the command help is the same', async () => {
    expect((await speak('help run')).out).toBe((await speak('run --help')).out);
  });

  test('fits a narrow terminal', async () => {
    const terminal = makeTerminal({ isTerminal: true, columns: 60 });
    const { out } = await speak('run --help', {}, { terminal });
    const prose = out.split('\n').filter((line) => !line.startsWith('  mediasweep'));
    expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(60);
    // Commands are there to be pasted.
    expect(out).toContain(
      '  mediasweep run pipelines/nightly.yaml --metrics-file /var/lib/node_exporter/mediasweep.prom\n',
    );
    expect(out).toContain(
      '  mediasweep run pipelines/nightly.yaml --limit 100\n      the first 100 items only\n',
    );
  });

  test('has no colours unless the terminal has them', async () => {
    expect((await speak('--help')).out).not.toContain('\x1b[');
    const terminal = makeTerminal({ isTerminal: true, useColour: true });
    expect((await speak('--help', {}, { terminal })).out).toContain('\x1b[1mUsage:');
  });

  test('is what one gets without a command, as an error', async () => {
    const { exitCode, out, err } = await speak('');
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain('Usage: mediasweep');
    expect(err).not.toMatch(/^error/m);
  });
});

test('--version prints the version', async () => {
  expect(await speak('--version')).toEqual({ exitCode: 0, out: '1.2.3\n', err: '' });
});

test('what is slow to load is loaded by the commands that need it', () => {
  const folder = join(import.meta.dirname, '..', '..', 'src', 'cli');
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  const packages = texts.flatMap((text) =>
    [...text.matchAll(/^import (?!type\b).*? from '([^.'][^']*)'/gms)].map((match) => match[1]),
  );
  expect(new Set(packages)).toEqual(new Set(['commander', 'picocolors', 'string-width']));
});
