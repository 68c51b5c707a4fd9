/** A private one-node OpenStack Swift with its S3 interface, on free ports of 127.0.0.1 and a folder of its own. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePorts, type StartDaemon, startServers, waitUntilAnswered } from './daemon.ts';
import type { StoreAccess } from './embedded-store.ts';
import { findMissingPrograms } from './programs.ts';

const run = promisify(execFile);
const parts = ['account', 'container', 'object'] as const;

/** What is missing to start one; its daemons want to become a user of their choice. */
export function findMissingForSwift(): readonly string[] {
  const servers = [...parts, 'proxy'].map((part) => `swift-${part}-server`);
  const missing = findMissingPrograms([...servers, 'swift-ring-builder', 'memcached']);
  return [...missing, ...(process.getuid?.() === 0 ? [] : ['root'])];
}

/** Starts it and waits until it answers, some 4 s. */
export const startSwift = () => startServers('swift', 'proxy.log', startIn);

async function startIn(folder: string, start: StartDaemon): Promise<StoreAccess> {
  const [account = 0, container = 0, object = 0, proxy = 0, cache = 0] = await findFreePorts(5);
  const ports = { account, container, object };
  const file = (name: string): string => join(folder, name);
  await mkdir(file('disks/d1'), { recursive: true });
  await writeFile(file('swift.conf'), commonConfig);
  const buildRing = async (part: (typeof parts)[number]): Promise<void> => {
    await writeFile(file(`${part}.conf`), writePart(folder, part, ports[part]));
    const ring = (...words: string[]) =>
      run('swift-ring-builder', [`${part}.builder`, ...words], { cwd: folder });
    await ring('create', '4', '1', '0');
    await ring('add', `r1z1-127.0.0.1:${ports[part]}/d1`, '1');
    await ring('rebalance');
  };
  await Promise.all(parts.map(buildRing));
  await writeFile(file('proxy.conf'), writeProxy(folder, proxy, cache));
  start('memcached', ['-u', 'root', '-l', '127.0.0.1', '-p', String(cache)]);
  for (const part of [...parts, 'proxy']) start(`swift-${part}-server`, [file(`${part}.conf`)]);
  const endpoint = `http://127.0.0.1:${proxy}`;
  await Promise.all(parts.map((part) => waitUntilAnswered(`http://127.0.0.1:${ports[part]}`)));
  await waitUntilAnswered(`${endpoint}/healthcheck`, 200);
  return { endpoint, accessKeyId: 'test:tester', secretAccessKey: 'testing' };
}

const commonConfig = `
[swift-hash]
swift_hash_path_suffix = changeme
[storage-policy:0]
name = p0
default = yes
`;

function writePart(folder: string, part: string, port: number): string {
  return `
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = root
swift_dir = ${folder}
devices = ${folder}/disks
mount_check = false
disable_fallocate = true
log_level = ERROR
[pipeline:main]
pipeline = ${part}-server
[app:${part}-server]
use = egg:swift#${part}
allow_versions = true
`;
}

function writeProxy(folder: string, port: number, cache: number): string {
  return `
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = root
swift_dir = ${folder}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging cache listing_formats s3api tempauth copy slo symlink versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cache}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
check_bucket_owner = false
dns_compliant_bucket_names = true
min_segment_size = 5242880
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:symlink]
use = egg:swift#symlink
[filter:slo]
use = egg:swift#slo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
`;
}
