/** Every command that the papers, the files for hosts and the help name is one that the program understands. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadCluster } from '../../src/config/load.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import { speak } from '../cli/desk.ts';
import { withProject } from '../config/project.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Whatever is asked of the program ends there: the words were understood. */
const understanding = new Proxy(
  {},
  {
    get: () => async () => {
      throw new Stop(exitCodes.flagged, 'understood');
    },
  },
);

async function isUnderstood(line: string): Promise<boolean> {
  const { exitCode, err } = await speak(splitWords(line), understanding);
  // A running server or a rehearsal is asked for like everything else.
  return exitCode === exitCodes.flagged && err.includes('understood');
}

/** As a shell does: quotes hold words together, and what goes into or out of the command is not part of it. */
function splitWords(line: string): readonly string[] {
  const command = line.replace(/^.*?\bmediasweep /, '').split(/ (?:\||<|>|2>>?|&&) /, 1)[0] ?? '';
  const words = command.match(/(?:'[^']*'|"[^"]*"|[^\s'"]+)+/g) ?? [];
  const end = words.findIndex((word) => word.startsWith('#'));
  return words.slice(0, end < 0 ? undefined : end).map((word) => word.replaceAll(/['"]/g, ''));
}

function listCommands(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^ *```(?:sh|console)?\n([\s\S]*?)^ *```/gm)].map(
    (match) => match[1] ?? '',
  );
  return blocks
    .flatMap((block) => block.split('\n'))
    .map((line) => line.trim())
    .filter((line) => /^(?:npx |\$ )?mediasweep /.test(line));
}

describe('a command', () => {
  const papers = [
    'README.md',
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];
  const lines = papers.flatMap((path) => listCommands(read(path)).map((line) => [path, line] as const));

  test('of the papers is found at all', () => {
    expect(lines.length).toBeGreaterThan(15);
    expect(lines.map(([path]) => path)).toContain('docs/first-audit.md');
  });

  test.each(lines)('of %s is understood: %s', async (_, line) => {
    expect(await isUnderstood(line)).toBe(true);
  });

  test('of cron, systemd, Docker and Kubernetes is understood', async () => {
    const cron = read('deploy/cron')
      .split('\n')
      .filter((line) => /^\d.*\bmediasweep \w/.test(line));
    const unit = /^ExecStart=(.*)$/m.exec(read('deploy/systemd/mediasweep@.service'))?.[1];
    const docker = /^# (docker run .*)$/m.exec(read('Dockerfile'))?.[1];
    const job = parse(read('deploy/kubernetes/cronjob.yaml'));
    const { args } = job.spec.jobTemplate.spec.template.spec.containers[0];
    const worker = parse(read('deploy/kubernetes/worker.yaml'));
    const coordinator = parse(read('deploy/kubernetes/coordinator.yaml'));
    const coordinated = coordinator.spec.jobTemplate.spec.template.spec.containers[0];
    const { services } = parse(read('deploy/compose.yaml'), { merge: true });
    const found = [
      ...cron.map((line) => line.replace(/^.*&& /, '')),
      unit,
      docker,
      `mediasweep ${args.join(' ')}`,
      `mediasweep ${worker.spec.template.spec.containers[0].args.join(' ')}`,
      `mediasweep ${coordinated.args.join(' ')}`,
      `mediasweep ${services.worker.command.join(' ')}`,
      `mediasweep ${services.run.command.join(' ')}`,
    ];
    expect(found).toHaveLength(9);
    for (const line of found) expect([line, await isUnderstood(line ?? '')]).toEqual([line, true]);
  });

  const commands = [
    'init check doctor estimate run status cost reconcile report judge diff review held failed ledger'.split(
      ' ',
    ),
    [
      'catalogue',
      'schema',
      'rehearse',
      'review import',
      'review list',
      'held list',
      'held resend',
      'held forget',
    ],
    ['failed list', 'failed acknowledge', 'ledger prune', 'ledger restore'],
  ].flat();
  test.each(commands)('in the help of %s is understood', async (command) => {
    const { out } = await speak(`${command} --help`);
    const examples = out
      .split('\n')
      .flatMap((line) => /^ {2}(mediasweep .*?)(?: {2,}.*)?$/.exec(line)?.[1] ?? []);
    expect(examples.length).toBeGreaterThan(0);
    for (const line of examples.filter((one) => one !== 'mediasweep init')) {
      expect([line, await isUnderstood(line)]).toEqual([line, true]);
    }
  });
});

test('every image that a file for hosts names is built by a command that stands in one, and the cluster file is in order', async () => {
  const built = ['Dockerfile', 'deploy/kubernetes/Dockerfile']
    .flatMap((path) => [...read(path).matchAll(/docker build (.*) \.$/gm)])
    .flatMap(([, words = '']) => [...words.matchAll(/-t (\S+)/g)].map((match) => match[1]));
  const { services } = parse(read('deploy/compose.yaml'), { merge: true });
  const manifests = ['worker', 'coordinator', 'cronjob'].map((name) =>
    read(`deploy/kubernetes/${name}.yaml`),
  );
  const named = [
    ...manifests.map((text) => /image: (\S+)/.exec(text)?.[1]),
    /^FROM (\S+)$/m.exec(read('deploy/kubernetes/Dockerfile'))?.[1],
    services.worker.image,
    services.run.image,
  ];
  expect(named.filter((image) => !built.includes(image))).toEqual([]);
  // A secret is named in all of them, and stands in none.
  const variables = { REDIS_PASSWORD: 'one', POSTGRES_PASSWORD: 'two' };
  await withProject({ 'config/cluster.yaml': read('deploy/cluster.yaml') }, async (folder) => {
    const { cluster, problems } = await loadCluster(join(folder, 'config'), variables);
    expect(problems).toEqual([]);
    expect(
      [cluster?.redis.host, cluster?.ledger?.host].every((host) => host !== undefined && host in services),
    ).toBe(true);
    expect(services.postgres.environment).toMatchObject({
      POSTGRES_USER: cluster?.ledger?.user,
      POSTGRES_DB: cluster?.ledger?.database,
    });
  });
});

test('the image runs as nobody of rights, and holds what a rehearsal needs', () => {
  const image = read('Dockerfile');
  const kept = read('.dockerignore');
  const copied = [...image.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(
    (match) => match[1]?.split(' ') ?? [],
  );
  expect(image).toMatch(/^USER node$/m);
  for (const path of copied) expect(kept).toContain(`!${path.split('/', 1)[0]}\n`);
  const { files } = JSON.parse(read('package.json')) as { files: readonly string[] };
  for (const path of files.filter((one) => !['dist', 'schema'].includes(one))) {
    expect(copied.some((one) => path === one || path.startsWith(`${one}/`))).toBe(true);
  }
});
