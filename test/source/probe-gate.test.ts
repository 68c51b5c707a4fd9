import { describe, expect, it } from 'vitest';
import type { Item } from '../../src/domain/item.ts';
import { makeProber } from '../../src/source/probe.ts';
import { hostOf, makePatient, makeProbeGate } from '../../src/source/probe-gate.ts';
import { makePng } from './image-bytes.ts';
import { openMemoryStorage } from './memory-storage.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the gate', () => {
  it('lets 32 reads in at once, and 16 of one host, so that a slow one does not stop the others', async () => {
    const gate = makeProbeGate();
    const inside = new Map<string, number>();
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const ask = (host: string) =>
      gate(host, async () => {
        inside.set(host, (inside.get(host) ?? 0) + 1);
        await opened;
      });
    const slow = Array.from({ length: 100 }, () => ask('slow'));
    await turn();
    const others = ['a', 'b', 'c'].flatMap((host) => Array.from({ length: 6 }, () => ask(host)));
    await turn();
    expect(Object.fromEntries(inside)).toEqual({ slow: 16, a: 6, b: 6, c: 4 });
    open();
    await Promise.all([...slow, ...others]);
    expect(inside.get('slow')).toBe(100);
  });

  it('goes on after a read that failed', async () => {
    const gate = makeProbeGate();
    const failed = gate('h', async () => await Promise.reject(new Error('lost')));
    await expect(failed).rejects.toThrow('lost');
    expect(await gate('h', async () => 1)).toBe(1);
  });

  it('is one for the whole prober, however many files are asked for', async () => {
    const storage = openMemoryStorage([{ key: 'a.png', bytes: makePng(3, 2) }]);
    let [now, most] = [0, 0];
    const prober = makeProber({
      storage: {
        ...storage,
        read: async (...given) => {
          most = Math.max(most, (now += 1));
          await turn();
          now -= 1;
          return await storage.read(...given);
        },
      },
      urlReader: { read: async () => ({ ok: false, message: 'not asked for' }) },
    });
    const object = { storage: 'main', bucket: 'media', key: 'a.png' };
    const item: Item = { id: 'i', position: new Uint8Array(), kind: 'image', object, sizeBytes: 33 };
    const facts = await Promise.all(Array.from({ length: 200 }, () => prober(item)));
    expect(new Set(facts.map(({ width }) => width))).toEqual(new Set([3]));
    expect(most).toBe(16);
  });

  it('knows who is asked', () => {
    const item = { id: 'i', position: new Uint8Array() };
    const object = { storage: 'main', bucket: 'b', key: 'k' };
    expect(hostOf({ ...item, object, url: 'https://h/' })).toBe('storage main');
    expect(hostOf({ ...item, url: 'https://h.example:81/a?b' })).toBe('h.example:81');
    expect(hostOf(item)).toBe('');
  });
});

describe('a host that does not answer', () => {
  const message = 'not read within 30000 ms';

  it('is asked 8 times in a row, and then one time in 50, with the reason for each file', async () => {
    const asked: string[] = [];
    const patient = makePatient({
      read: async (url) => {
        asked.push(url);
        return { ok: false, message };
      },
    });
    for (let file = 0; file < 108; file += 1) {
      const answer = await patient.read(`https://dead.example/${file}`, 0, 1);
      const isAsked = file < 8 || file === 57 || file === 107;
      const count = file < 58 ? 8 : 9;
      expect(answer).toEqual({
        ok: false,
        message: isAsked ? message : `${message}, as ${count} reads of its host before it`,
      });
    }
    expect(asked).toHaveLength(10);
    await patient.read('https://other.example/', 0, 1);
    expect(asked).toHaveLength(11);
  });

  it('is asked again as soon as it answers, be it with a refusal', async () => {
    const answers = [...Array<undefined>(7), 404, ...Array<undefined>(8)];
    let asked = 0;
    const patient = makePatient({
      read: async () => {
        const status = answers[asked];
        asked += 1;
        return status === undefined ? { ok: false, message } : { ok: false, status, message: 'no' };
      },
    });
    for (let file = 0; file < 16; file += 1) await patient.read('https://h.example/', 0, 1);
    expect(asked).toBe(16);
    await patient.read('https://h.example/', 0, 1);
    expect(asked).toBe(16);
  });
});
