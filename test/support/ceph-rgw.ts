/** A private one-node Ceph with its S3 gateway, kept in memory, on free ports of 127.0.0.1. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePorts, type StartDaemon, startServers, waitUntilAnswered } from './daemon.ts';
import type { StoreAccess } from './embedded-store.ts';
import { findMissingPrograms } from './programs.ts';

const run = promisify(execFile);

/** What is missing to start one; Ceph's daemons want root. */
export function findMissingForCeph(): readonly string[] {
  const programs = [
    'ceph',
    'ceph-authtool',
    'ceph-mon',
    'ceph-osd',
    'monmaptool',
    'radosgw',
    'radosgw-admin',
  ];
  return [...findMissingPrograms(programs), ...(process.getuid?.() === 0 ? [] : ['root'])];
}

/** Starts it and waits until it answers, some 12 s. */
export const startCephRgw = () => startServers('ceph', 'log', startIn);

async function startIn(folder: string, startDaemon: StartDaemon): Promise<StoreAccess> {
  const [v2 = 0, v1 = 0, gateway = 0] = await findFreePorts(3);
  const [fsid, osd] = [randomUUID(), randomUUID()];
  const file = (name: string): string => join(folder, name);
  for (const name of ['mon', 'osd', 'run', 'logs']) await mkdir(file(name));
  await writeFile(file('ceph.conf'), writeConfig(folder, fsid, v2, v1, gateway));
  const config = ['-c', file('ceph.conf')];
  const start: StartDaemon = (program, args) => startDaemon(program, [...config, ...args, '-f']);
  const all = ['--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *', '--cap', 'mgr', 'allow *'];
  await run('ceph-authtool', [
    '--create-keyring',
    file('keyring'),
    '--gen-key',
    '-n',
    'mon.',
    '--cap',
    'mon',
    'allow *',
  ]);
  for (const name of ['client.admin', 'osd.0', 'client.rgw']) {
    await run('ceph-authtool', [file('keyring'), '--gen-key', '-n', name, ...all]);
  }
  const addresses = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`;
  await run('monmaptool', [
    '--create',
    '--fsid',
    fsid,
    '--clobber',
    '--addv',
    'a',
    addresses,
    file('monmap'),
  ]);
  await run('ceph-mon', [
    ...config,
    '--mkfs',
    '-i',
    'a',
    '--monmap',
    file('monmap'),
    '--keyring',
    file('keyring'),
  ]);
  start('ceph-mon', ['-i', 'a']);
  await run('ceph', [...config, 'osd', 'new', osd, '0']);
  await run('ceph', [...config, 'osd', 'crush', 'add', 'osd.0', '1.0', 'host=h', 'root=default']);
  await run('ceph-osd', [...config, '-i', '0', '--mkfs', '--osd-uuid', osd]);
  start('ceph-osd', ['-i', '0']);
  start('radosgw', ['-n', 'client.rgw']);

  const endpoint = `http://127.0.0.1:${gateway}`;
  await waitUntilAnswered(endpoint, 200);
  const [accessKeyId, secretAccessKey] = ['AKIDREHEARSAL', 'test-secret-of-a-private-server'];
  const user = [
    '--uid=t',
    '--display-name=t',
    `--access-key=${accessKeyId}`,
    `--secret-key=${secretAccessKey}`,
  ];
  await run('radosgw-admin', [...config, '-n', 'client.rgw', 'user', 'create', ...user]);
  return { endpoint, accessKeyId, secretAccessKey };
}

function writeConfig(folder: string, fsid: string, v2: number, v1: number, gateway: number): string {
  return `
[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${folder}/keyring
auth allow insecure global id reclaim = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 939524096
mon data avail crit = 1
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
log file = ${folder}/logs/$name.log
pid file = ${folder}/run/$name.pid
debug ms = 0
ms bind ipv4 = true
[mon.a]
mon data = ${folder}/mon
[osd.0]
osd data = ${folder}/osd
public addr = 127.0.0.1
cluster addr = 127.0.0.1
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw enable usage log = false
rgw thread pool size = 32
`;
}
