/** Callbacks that one process receives and another one waits for, over a real Redis. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CalledBack, openCallbackPost } from '../../src/cluster/callback-post.ts';
import { openRedis } from '../../src/cluster/redis.ts';
import { silentLog } from '../../src/domain/log.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { missingForRedis, type PrivateRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

describeReal('the post of callbacks', missingForRedis, () => {
  let redis: PrivateRedis;
  let open: (() => void)[] = [];

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(async () => {
    for (const close of open) close();
    open = [];
    await redis.stop();
  });

  async function enter() {
    const { client, close } = await openRedis(redis.settings, silentLog);
    const post = openCallbackPost({ client, prefix: redis.settings.prefix, clock: systemClock });
    open.push(() => {
      post.close();
      close();
    });
    return { post, client };
  }

  it('hands them to all that follow the run, keeps them for who comes later, and refuses where Redis is away', async () => {
    const [receiver, holder] = [await enter(), await enter()];
    const told = async (run: string, ref: string) => receiver.post.tell(run, { account: 'qiniu', ref });
    await told('run-1', 'before');
    const heard: CalledBack[] = [];
    const end = await holder.post.follow('run-1', (called) => heard.push(called));
    await told('run-1', 'one');
    await told('run-2', 'of another run');
    await told('run-1', 'run');
    await expect.poll(() => heard.map(({ ref }) => ref)).toEqual(['one', 'run']);
    expect(await holder.post.readPast('run-1')).toEqual(
      ['before', 'one', 'run'].map((ref) => ({ account: 'qiniu', ref })),
    );
    end();
    await told('run-1', 'two');
    const again: CalledBack[] = [];
    await holder.post.follow('run-1', (called) => again.push(called));
    await redis.kill();
    await expect.poll(() => receiver.client.status).not.toBe('ready');
    await expect(told('run-1', 'lost')).rejects.toThrow('redis is away');
    await redis.restart();
    await expect.poll(() => receiver.client.status, { timeout: 10_000 }).toBe('ready');
    // The connection that waits for news has come back too, and missed nothing.
    await told('run-1', 'three');
    await expect.poll(() => again.map(({ ref }) => ref), { timeout: 10_000 }).toContain('three');
    expect(heard.map(({ ref }) => ref)).toEqual(['one', 'run']);
  });

  it('hands each page of many on, however many are kept', async () => {
    const [receiver] = [await enter()];
    const refs = Array.from({ length: 2500 }, (_, index) => `ref-${index}`);
    await Promise.all(refs.map((ref) => receiver.post.tell('run-3', { account: 'qiniu', ref })));
    expect((await receiver.post.readPast('run-3')).map(({ ref }) => ref)).toEqual(refs);
  });
});
