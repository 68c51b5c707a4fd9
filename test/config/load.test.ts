/** Files and folders: what is found where, what cannot be read, and a run's pipeline brought back. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findProjectRoot, loadPipeline, loadPrices, restorePipeline } from '../../src/config/load.ts';
import { toyCatalogue as catalogue } from '../support/toy-catalogue.ts';
import { environment, load, loadText, tell, withLines, withProject, withService } from './project.ts';

describe('the project root', () => {
  test('is the nearest parent that holds config/', async () => {
    await withProject({ 'a/b/c/x.yaml': '', 'a/config/x.yaml': '' }, async (folder) => {
      expect(await findProjectRoot(join(folder, 'a/b/c'))).toBe(join(folder, 'a'));
      expect(await findProjectRoot(join(folder, 'a'))).toBe(join(folder, 'a'));
      expect(await findProjectRoot(join(folder, 'pipelines'))).toBe(folder);
    });
  });

  test('is not found by a file called config', async () => {
    await withProject({ 'a/config': 'no folder' }, async (folder) => {
      expect(await findProjectRoot(join(folder, 'a'))).toBe(folder);
    });
  });
});

describe('a file', () => {
  test('that is not there is told', async () => {
    const { problems, pipeline } = await load({ 'pipelines/p.yaml': undefined });
    expect(pipeline).toBeUndefined();
    expect(problems).toEqual(['pipelines/p.yaml:1:1: there is no such file. Check the path.']);
  });

  test('that is a folder is told', async () => {
    await withProject({ 'pipelines/p.yaml': undefined }, async (folder) => {
      const path = join(folder, 'pipelines/p.yaml');
      await mkdir(path, { recursive: true });
      const { problems } = tell(await loadPipeline({ path, environment, catalogue }), folder);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(/^pipelines\/p\.yaml:1:1: cannot be read: EISDIR/);
    });
  });

  test('that is not UTF-8 is told', async () => {
    await withProject({}, async (folder) => {
      const path = join(folder, 'pipelines/p.yaml');
      await writeFile(path, Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]));
      const { problems } = tell(await loadPipeline({ path, environment, catalogue }), folder);
      expect(problems).toEqual([
        'pipelines/p.yaml:1:1: expected text in UTF-8, found other bytes. Save it as UTF-8.',
      ]);
    });
  });

  test('that is far too large is told without being read', async () => {
    const { problems } = await loadText(`about: ${'x'.repeat(4_000_001)}\n`);
    expect(problems).toEqual([
      'pipelines/p.yaml:1:1: expected at most 4000000 bytes, found 4000009. Is this the right file?',
    ]);
  });

  test('may begin with a byte order mark', async () => {
    expect((await loadText(`\uFEFF${withLines('')}`)).problems).toEqual([]);
  });

  test('bears a name that reports can bear', async () => {
    await withProject(
      { 'pipelines/a b.yaml': withLines(''), 'pipelines/latest.yaml': withLines('') },
      async (folder) => {
        const told = async (name: string) =>
          tell(await loadPipeline({ path: join(folder, 'pipelines', name), environment, catalogue }), folder)
            .problems;
        expect(await told('a b.yaml')).toEqual([
          'pipelines/a b.yaml:1:1: the pipeline bears its file\'s name, "a b": expected at most 100 letters, digits, ".", "_" and "-", beginning with a letter or digit, since reports and runs bear it. Rename the file.',
        ]);
        expect(await told('latest.yaml')).toEqual([
          'pipelines/latest.yaml:1:1: the pipeline bears its file\'s name, "latest": expected at most 100 letters, digits, ".", "_" and "-", beginning with a letter or digit, since "latest" stands for the newest run. Rename the file.',
        ]);
      },
    );
  });
});

describe('the config folder', () => {
  test('may be another one', async () => {
    await withProject({ 'other/accounts.yaml': 'accounts: {}\n' }, async (folder) => {
      const path = join(folder, 'pipelines/p.yaml');
      const configFolder = join(folder, 'other');
      const { problems } = tell(await loadPipeline({ path, configFolder, environment, catalogue }), folder);
      expect(problems).toEqual([
        'pipelines/p.yaml:2:22 source.bucket.storage: there is no storage "main" in other/storages.yaml. Add it to other/storages.yaml.',
        'pipelines/p.yaml:4:5 services[0].account: this key is missing: expected exactly one account of vendor "toy" in other/accounts.yaml, found none. Add one.',
      ]);
    });
  });

  test('that is named and not there is told', async () => {
    await withProject({}, async (folder) => {
      const path = join(folder, 'pipelines/p.yaml');
      const configFolder = join(folder, 'nowhere');
      const { problems } = tell(await loadPipeline({ path, configFolder, environment, catalogue }), folder);
      expect(problems).toEqual([
        'pipelines/p.yaml:1:1: there is no config folder "nowhere". Check --config.',
      ]);
    });
  });

  test('that no parent holds is told', async () => {
    await withProject({}, async (folder) => {
      await rm(join(folder, 'config'), { recursive: true });
      const path = join(folder, 'pipelines/p.yaml');
      const { problems } = tell(await loadPipeline({ path, environment, catalogue }), folder);
      expect(problems).toEqual([
        'pipelines/p.yaml:1:1: no folder above this file holds a folder config/. Make one, or name another with --config DIR.',
      ]);
    });
  });

  test('gives all its price files, and leaves other files alone', async () => {
    const { pipeline } = await load({
      'config/prices/more.yaml':
        'currency: CNY\ntimezone: Asia/Shanghai\nskus: { toy/extra: { unit: x, price: "1" } }\n',
      'config/prices/notes.txt': 'not: [yaml',
    });
    expect([...(pipeline?.prices.skus.keys() ?? [])].sort()).toEqual(['toy/call', 'toy/extra', 'toy/frame']);
  });

  test('tells of a dead link among its files', async () => {
    await withProject({}, async (folder) => {
      await symlink('gone.yaml', join(folder, 'config/prices/z.yaml'));
      const path = join(folder, 'pipelines/p.yaml');
      const { problems } = tell(await loadPipeline({ path, environment, catalogue }), folder);
      expect(problems).toEqual(['config/prices/z.yaml:1:1: there is no such file. Check the path.']);
    });
  });
});

describe("a run's pipeline", () => {
  test('comes back from what the ledger kept, whatever the file says now', async () => {
    const text = withService('use: toy/watch\noptions: { ops: [{ op: faces }] }', 'policy: strict\n');
    await withProject({ 'pipelines/p.yaml': text }, async (folder) => {
      const path = join(folder, 'pipelines/p.yaml');
      const { pipeline: then } = await loadPipeline({ path, environment, catalogue });
      await writeFile(path, 'broken: [');
      await writeFile(
        join(folder, 'config/policies/strict.yaml'),
        'rules: [{ service: toy/watch, op: faces, label: odd, verdict: block }]\n',
      );
      const written: unknown = JSON.parse(JSON.stringify(then?.written));
      const restored = await restorePipeline({ name: 'p', path, written, environment, catalogue });
      expect(restored.problems).toEqual([]);
      expect(restored.pipeline).toMatchObject({
        name: 'p',
        source: then?.source,
        shapeHash: then?.shapeHash,
        written: then?.written,
      });
      expect(restored.pipeline?.policy.rules[0]?.labels).toEqual(['odd']);
      expect(restored.pipeline?.hash).not.toBe(then?.hash);
    });
  });

  test('is judged and told as its file says today where that is wanted, and asks what it asked then', async () => {
    const text = withService('use: toy/watch\noptions: { ops: [{ op: faces }] }', 'policy: strict\n');
    await withProject({ 'pipelines/p.yaml': text }, async (folder) => {
      const path = join(folder, 'pipelines/p.yaml');
      const { pipeline: then } = await loadPipeline({ path, environment, catalogue });
      const request = {
        name: 'p',
        path,
        written: then?.written,
        environment,
        catalogue,
        isToldAsToday: true,
      };
      const restore = async (now: string, rest: { readonly isToldAsToday?: boolean } = {}) => {
        await writeFile(path, now);
        return await restorePipeline({ ...request, ...rest });
      };
      const milder = 'rules: [{ service: toy/watch, op: faces, label: rare, verdict: review }]\n';
      await writeFile(join(folder, 'config/policies/milder.yaml'), milder);
      const now = text
        .replace('policy: strict', 'policy: milder\nreports: { language: zh, respect: decisions }')
        .replace('toy/watch', 'toy/image');
      const { pipeline } = await restore(now);
      expect(pipeline?.policy).toMatchObject({ name: 'milder', respectsDecisions: true });
      expect(pipeline?.reports.language).toBe('zh');
      expect(pipeline?.services.map(({ name }) => name)).toEqual(['toy/watch']);
      // Comparisons and workers have what the run began with.
      expect((await restore(now, { isToldAsToday: false })).pipeline?.policy.name).toBe('strict');
      // What was taken out is out.
      expect((await restore(text.replace('policy: strict\n', ''))).pipeline?.policy.rules).toEqual([]);
      // Rules in the file itself may be about services that came later.
      const own = 'policy: { rules: [{ service: toy/image, metric: score, is: "< 4", verdict: review }] }';
      expect((await restore(text.replace('policy: strict', own))).pipeline?.policy.name).toBe('strict');
      const { problems } = await restore(text.replace('policy: strict', 'policy: gone'));
      expect(problems.map(({ message }) => message)).toEqual([
        expect.stringContaining('there is no policy "gone"'),
      ]);
    });
  });

  test('needs no credentials', async () => {
    await withProject({}, async (folder) => {
      const path = join(folder, 'pipelines/p.yaml');
      const written = {
        source: { bucket: { storage: 'main', bucket: 'media' } },
        services: [{ use: 'toy/image' }],
      };
      const restored = await restorePipeline({ name: 'p', path, written, environment: {}, catalogue });
      expect(restored.problems).toEqual([]);
      expect(restored.pipeline?.services[0]?.account.endpoint).toBe('https://toy.example/v1');
    });
  });

  test('that no longer fits the config says so, as run', async () => {
    await withProject({}, async (folder) => {
      const path = join(folder, 'pipelines/p.yaml');
      const written = {
        source: { bucket: { storage: 'gone', bucket: 'media' } },
        services: [{ use: 'toy/image' }],
        policy: 'gone',
      };
      const restored = await restorePipeline({ name: 'p', path, written, environment, catalogue });
      expect(tell(restored, folder).problems).toEqual([
        'pipelines/p.yaml (as run):1:1 source.bucket.storage: there is no storage "gone" in config/storages.yaml. Known: main.',
        'pipelines/p.yaml (as run):1:1 policy: there is no policy "gone" in config/policies. Known: strict.',
      ]);
    });
  });
});

test('what is wrong in several files is told at once, in the form of the contract', async () => {
  const { problems } = await load(
    { 'pipelines/p.yaml': withService('use: toy/image\noptions: { top_k: 50 }', '  - use: toy/wach\n') },
    { ...environment, TOY_SECRET: undefined },
  );
  expect(problems).toEqual([
    'pipelines/p.yaml:5:23 services[0].options.top_k: expected a whole number from 1 to 10, found 50. Manual: Toy manual, "All calls", 2026-01-01.',
    'pipelines/p.yaml:6:10 services[1].use: there is no service "toy/wach". Did you mean "toy/watch"? `mediasweep catalogue` lists all.',
    'config/accounts.yaml:2:92 accounts.toy-prod.secret: environment variable TOY_SECRET is not set. Set it, or name another variable.',
  ]);
});

test('prices are loaded without a pipeline, with their faults', async () => {
  await withProject(
    { 'config/prices/z.yaml': 'currency: EURO\ntimezone: UTC\nskus: {}\n' },
    async (folder) => {
      const configFolder = join(folder, 'config');
      const { prices, problems } = await loadPrices({ configFolder, environment, catalogue });
      expect([...prices.skus.keys()]).toEqual(['toy/call', 'toy/frame']);
      expect(tell({ problems, warnings: [] }, folder).problems).toEqual([
        'config/prices/z.yaml:1:11 currency: expected a currency of three capital letters, such as "CNY", found "EURO".',
      ]);
    },
  );
});
