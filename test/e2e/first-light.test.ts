/** The main job through the command line: a real store, the vendors' stand-ins, real files read back. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { runCommand } from '../support/command.ts';
import { openWorld, type OutsideWorld, putLibrary, putVariants } from '../support/outside-world.ts';

const pipeline = `
source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: pai/image-quality
  - use: qiniu/video-censor
    options: { ops: [{ op: politician }, { op: pulp }, { op: terror }], vframe: { mode: 0, interval: 1 } }
policy: strict
`;

/** Columns of DESIGN, word for word: whoever reads these files with another program relies on them. */
const headers: Readonly<Record<string, string>> = {
  'findings.csv':
    'item,bucket,key,url,service,op,label,score,reported_score,begin_ms,end_ms,segments,needs_review,verdict',
  'segments.csv': 'item,bucket,key,url,service,op,begin_ms,end_ms,label,max_score,cuts,needs_review',
  'failures.csv': 'item,bucket,key,url,service,status,code,http_status,message,attempts',
  'bill.csv':
    'account,vendor,sku,unit,units_observed,units_estimated,units_uncertain,units_free,units_pack,unit_price,charge,currency,complete',
  'items.csv':
    'item,bucket,key,url,kind,size_bytes,etag,last_modified,verdict,reasons,status,' +
    'pai/image-quality.iqa_result,pai/image-quality.image_width,pai/image-quality.image_height,' +
    'qiniu/video-censor.politician.top_label,qiniu/video-censor.politician.top_score,' +
    'qiniu/video-censor.pulp.top_label,qiniu/video-censor.pulp.top_score,' +
    'qiniu/video-censor.terror.top_label,qiniu/video-censor.terror.top_score',
};

function latest(world: OutsideWorld, name: string, file: string): string {
  return join(world.folder, 'reports', name, 'latest', file);
}

async function readSummary(world: OutsideWorld, name: string) {
  return JSON.parse(await readFile(latest(world, name, 'summary.json'), 'utf8'));
}

async function readRows(path: string): Promise<Record<string, string>[]> {
  return parse(await readFile(path), { bom: true, columns: true });
}

describe('a run', () => {
  test('writes every report, with its exact columns and the facts of the media, and costs nothing when run again', async () => {
    const world = await openWorld();
    const library = await putLibrary(world);
    const path = await world.writePipeline('first-light', pipeline);

    const first = await world.run('run', path);
    expect(first.err).toContain('begins');
    expect(first.exitCode).toBe(0);
    expect(first.out).toMatch(/first-light \S+ finished in .* \(exit 0\)/);
    expect(first.out).toMatch(/21 items x 2 services = 21 not applicable \+ 21 answered/);
    expect(first.out.trimEnd()).toMatch(/reports\/first-light\/\S+\/report\.html$/);

    const summary = await readSummary(world, 'first-light');
    expect(summary.counts).toMatchObject({
      items: 21,
      services: 2,
      notApplicable: 21,
      answered: 21,
      open: 0,
    });
    expect(summary).toMatchObject({ listing: 'complete', exitCode: 0, why: 'finished' });
    expect(await readlink(join(world.folder, 'reports', 'first-light', 'latest'))).toBe(summary.run);
    expect((await readdir(join(world.folder, 'reports', 'first-light', summary.run))).sort()).toEqual([
      'bill.csv',
      'bill.json',
      'broken.csv',
      'failures.csv',
      'findings.csv',
      'items.csv',
      'report.html',
      'review.csv',
      'segments.csv',
      'summary.json',
      'tasks.jsonl',
    ]);
    for (const [file, header] of Object.entries(headers)) {
      const text = await readFile(latest(world, 'first-light', file), 'utf8');
      expect([file, text.replace(/^\uFEFF/, '').split('\r\n')[0]]).toEqual([file, header]);
    }

    const items = await readRows(latest(world, 'first-light', 'items.csv'));
    expect(items.map(({ key }) => key)).toEqual(
      library
        .map(({ path: key }) => key)
        .toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))),
    );
    for (const file of library.filter(({ mediaType }) => mediaType.startsWith('image/'))) {
      const row = items.find(({ key }) => key === file.path);
      expect(row).toMatchObject({
        'pai/image-quality.image_width': String(file.width),
        'pai/image-quality.image_height': String(file.height),
      });
    }

    // A frame every second from the beginning: the length of each video, rounded up, by ffprobe's table.
    const frames = library.reduce(
      (sum, { durationSeconds }) => sum + (durationSeconds ? Math.ceil(durationSeconds) : 0),
      0,
    );
    const bill = await readRows(latest(world, 'first-light', 'bill.csv'));
    const politician = bill.find(({ sku }) => sku === 'qiniu/politician-image');
    expect(Number(politician?.['units_observed']) + Number(politician?.['units_estimated'])).toBe(frames);
    expect(politician?.['charge']).toBe(String((frames * 155) / 100_000));
    expect(world.emulators['qiniu']?.state().units['qiniu/politician-image']).toBe(frames);
    expect(bill.find(({ sku }) => sku === 'pai/basic')).toMatchObject({
      units_observed: '14',
      units_free: '14',
      charge: '0',
    });

    const tasks = (await readFile(latest(world, 'first-light', 'tasks.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(tasks).toHaveLength(21);
    expect(tasks.join('')).not.toContain('X-Amz-Signature');

    const requests = world.emulators['pai']?.state().requests;
    const second = await world.run('run', path);
    expect(second.exitCode).toBe(0);
    expect((await readSummary(world, 'first-light')).counts).toMatchObject({ answered: 0, reused: 21 });
    expect(world.emulators['pai']?.state().requests).toBe(requests);
    expect(world.emulators['qiniu']?.state().submissions).toBe(7);
  });

  test('through a vendor full of faults answers or names every item, and pays for no video twice', async () => {
    const world = await openWorld({
      seed: 'e2e',
      slowDown: 0.1,
      resetBefore: 0.05,
      resetAfter: 0.05,
      serverError: 0.05,
    });
    await putVariants(world, 25, 'image/jpeg');
    await putVariants(world, 12, 'video/mp4');
    const path = await world.writePipeline('faulty', pipeline);
    const { exitCode, err } = await world.run('run', path);
    expect(err).not.toContain('mistake');
    expect(exitCode).toBe(0);
    const { counts } = await readSummary(world, 'faulty');
    expect(counts).toMatchObject({ answered: 37, failed: 0, held: 0, open: 0 });
    expect(
      Object.values(world.emulators['qiniu']?.state().submitted ?? {}).filter((times) => times > 1),
    ).toEqual([]);
    const bill = await readRows(latest(world, 'faulty', 'bill.csv'));
    const images = bill.find(({ sku }) => sku === 'pai/basic');
    const admitted = Number(images?.['units_observed']) + Number(images?.['units_uncertain']);
    expect(world.emulators['pai']?.state().units['pai/basic']).toBeLessThanOrEqual(admitted);
  }, 120_000);

  test('over a CSV manifest reads its columns, reports broken rows by line, and goes on', async () => {
    const world = await openWorld();
    await putLibrary(world);
    const rows = [
      'link;name;seconds;storage key',
      ';first;;videos/cells.webm',
      'ftp://example.com/x.jpg;second;;',
      ';third;not a number;videos/index-first.mp4',
      ';fourth;4;videos/index-last.mp4',
      ';fifth;;videos/missing.mp4',
    ];
    await writeFile(join(world.folder, 'pipelines', 'list.csv'), `\uFEFF${rows.join('\n')}\n`);
    const path = await world.writePipeline(
      'manifest',
      `source: { csv: { path: list.csv, delimiter: ";", storage: rehearsal, bucket: media, columns: { url: link, title: name, duration: seconds, key: storage key } } }
services: [{ use: qiniu/video-censor, options: { ops: [{ op: politician }], vframe: { mode: 0, interval: 1 } } }]`,
    );
    const { exitCode, out } = await world.run('run', path);
    expect(exitCode).toBe(0);
    expect(out).toContain('3 broken rows');
    expect(out).toMatch(/line 3\b.*http/);
    expect(out).toMatch(/line 4\b.*duration/);
    expect(out).toMatch(/line 6\b.*missing\.mp4/);
    const { counts } = await readSummary(world, 'manifest');
    expect(counts).toMatchObject({ items: 2, answered: 2, broken: 3 });
    // The manifest's 4 seconds count, although the file is 12 s long.
    const tasks = (await readFile(latest(world, 'manifest', 'tasks.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(tasks.map((line) => JSON.parse(line).duration)).toContain(4);
  });

  test('with wrong credentials halts that account, says what to do, and goes on once they are right', async () => {
    const world = await openWorld();
    await putLibrary(world);
    const path = await world.writePipeline('refused', pipeline);
    const environment = { ...world.environment, MEDIASWEEP_PAI_TOKEN: 'canary-wrong-token' };
    const halted = await runCommand(['run', path], { folder: world.folder, environment });
    expect(halted.exitCode).toBe(3);
    expect(halted.out + halted.err).toMatch(/account "pai-rehearsal" halted: "sign error" \(401\)/);
    expect(halted.out + halted.err).not.toContain('canary');
    expect((await readSummary(world, 'refused')).counts).toMatchObject({ answered: 7, open: 14 });
    const mended = await world.run('run', path);
    expect(mended.exitCode).toBe(0);
    expect((await readSummary(world, 'refused')).counts).toMatchObject({ answered: 21, open: 0 });
  });

  test('stops on SIGTERM in good order, exits 143, and is gone on with', async () => {
    const world = await openWorld({ delayMs: 100 });
    await putVariants(world, 60, 'image/jpeg');
    const path = await world.writePipeline('stopped', pipeline);
    const { process, ended } = world.start('run', path);
    while ((world.emulators['pai']?.state().submissions ?? 0) < 10)
      await new Promise((resolve) => setTimeout(resolve, 5));
    process.kill('SIGTERM');
    const stopped = await ended;
    expect(stopped.exitCode).toBe(143);
    const { counts, why } = await readSummary(world, 'stopped');
    expect(counts.answered).toBeGreaterThanOrEqual(10);
    expect(counts.open).toBeGreaterThan(0);
    expect(why).toBe('terminated. Run again to go on.');
    expect((await world.run('run', path)).exitCode).toBe(0);
    expect(world.emulators['pai']?.state().units['pai/basic']).toBe(60);
  });

  test('leaves at once on a second signal, whatever is in flight, and what was sent is admitted', async () => {
    const world = await openWorld({ delayMs: 60_000 });
    await putVariants(world, 1, 'image/jpeg');
    const path = await world.writePipeline('hasty', pipeline);
    const { process, ended } = world.start('run', path);
    while ((world.emulators['pai']?.state().requests ?? 0) < 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    process.kill('SIGINT');
    // What comes within a quarter of a second is the same wish.
    await new Promise((resolve) => setTimeout(resolve, 350));
    process.kill('SIGINT');
    const left = await ended;
    expect([left.exitCode, left.signal, left.out]).toEqual([130, null, '']);
    expect(left.err).toContain(
      'stopping: calls in flight are given their grace (--grace); a second signal leaves at once',
    );
    await world.setFaults('pai', { delayMs: 0 });
    expect((await world.run('run', path)).exitCode).toBe(0);
    expect((await readSummary(world, 'hasty')).counts).toMatchObject({ answered: 1, open: 0 });
    const bill = JSON.parse(await readFile(latest(world, 'hasty', 'bill.json'), 'utf8'));
    expect(JSON.stringify(bill)).toMatch(/"unitsUncertain":1|"units_uncertain":1/);
  });

  test('is refused where another pipeline file of the same name uses the ledger, and not where its own was moved', async () => {
    const world = await openWorld();
    await putLibrary(world);
    const path = await world.writePipeline('twin', pipeline);
    expect((await world.run('run', path)).exitCode).toBe(0);
    await mkdir(join(world.folder, 'pipelines', 'other'));
    await copyFile(join(world.folder, path), join(world.folder, 'pipelines', 'other', 'twin.yaml'));
    const refused = await world.run('run', 'pipelines/other/twin.yaml');
    expect(refused.exitCode).toBe(2);
    expect(refused.err).toMatch(
      /expected one file of the name "twin" on this ledger, found ".*twin\.yaml" too/,
    );
    await rm(join(world.folder, path));
    expect((await world.run('run', 'pipelines/other/twin.yaml')).exitCode).toBe(0);
  });

  test('of a manifest with a mistake is refused before anything is begun, and check says the same', async () => {
    const world = await openWorld();
    await writeFile(join(world.folder, 'pipelines', 'list.csv'), 'link,name\nhttps://cdn.example/a.jpg,a\n');
    const path = await world.writePipeline(
      'mistaken',
      'source: { csv: { path: list.csv, columns: { url: lnk } } }\nservices: [{ use: pai/image-quality }]\n',
    );
    for (const command of ['check', 'run']) {
      const { exitCode, out, err } = await world.run(command, path);
      expect(exitCode).toBe(2);
      expect(out + err).toMatch(/expected a column "lnk".*found/);
    }
    expect(existsSync(join(world.folder, 'reports'))).toBe(false);
  });

  test('is refused while another one holds its pipeline, with exit 6', async () => {
    const world = await openWorld({ delayMs: 1000 });
    await putVariants(world, 30, 'image/jpeg');
    const path = await world.writePipeline('held', pipeline);
    const first = world.start('run', path);
    while ((world.emulators['pai']?.state().requests ?? 0) < 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await world.run('run', path);
    expect(second.exitCode).toBe(6);
    expect(second.err).toContain(`pipeline "held": another run holds it: process ${first.process.pid}`);
    expect((await first.ended).exitCode).toBe(0);
  });
});

describe('a rehearsal', () => {
  test('that was killed does not burden the next one', async () => {
    const world = await openWorld();
    const first = world.start('rehearse', '--faults', 'none');
    await new Promise<void>((resolve) => first.process.stderr?.once('data', () => resolve()));
    await new Promise((resolve) => setTimeout(resolve, 700));
    first.process.kill('SIGKILL');
    await first.ended;
    const second = await world.run('rehearse', '--faults', 'none');
    expect(second.exitCode).toBe(0);
    expect(second.out).toContain('21 not applicable + 21 answered');
  });
});

describe('report', () => {
  test('writes the same files again from the ledger, and applies the policy of today', async () => {
    const world = await openWorld();
    await putLibrary(world);
    const path = await world.writePipeline('again', pipeline);
    await world.run('run', path);
    const before = await readFile(latest(world, 'again', 'items.csv'), 'utf8');
    expect((await world.run('report', 'again')).exitCode).toBe(0);
    expect(await readFile(latest(world, 'again', 'items.csv'), 'utf8')).toBe(before);
    await writeFile(
      join(world.folder, 'config', 'policies', 'strict.yaml'),
      'rules: [{ name: everything, service: pai/image-quality, metric: iqa_result, is: ">= 0", verdict: block }]\n',
    );
    await world.run('report', 'again');
    const rows = await readRows(latest(world, 'again', 'items.csv'));
    expect(rows.filter(({ verdict }) => verdict === 'block')).toHaveLength(14);
    expect((await world.run('report', 'no-such-run')).err).toContain('there is no such run in this ledger');
  });
});

describe('status', () => {
  test('tells of every run what became of it, as a table and as JSON', async () => {
    const world = await openWorld();
    await putLibrary(world);
    const path = await world.writePipeline('told', pipeline);
    await world.run('run', path);
    const table = await world.run('status');
    expect(table.exitCode).toBe(0);
    expect(table.out).toContain('-told');
    const json = await world.run('status', 'told', '--json');
    expect(JSON.parse(json.out)).toBeTruthy();
  });
});
