import { describe, expect, test } from 'vitest';
import { speak } from './desk.ts';

const schema = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', description: '流水线' };
const given = { schemas: async () => ({ 'pipeline.schema.json': schema, 'accounts.schema.json': {} }) };

describe('schema', () => {
  test('without a name lists the names', async () => {
    expect(await speak('schema', given)).toEqual({ exitCode: 0, out: 'pipeline\naccounts\n', err: '' });
    expect(JSON.parse((await speak('schema --json', given)).out)).toEqual({
      schemas: ['pipeline', 'accounts'],
    });
  });

  test.each([
    'schema pipeline',
    'schema pipeline.schema.json',
    'schema pipeline --json',
  ])('"%s" prints one', async (line) => {
    const { exitCode, out, err } = await speak(line, given);
    expect([exitCode, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual(schema);
  });

  test.each([
    ['pipelin', ' Did you mean "pipeline"?'],
    ['zebra', ''],
    ['constructor', ''],
  ])('of a name that is not there is wrong use (%s)', async (name, suggestion) => {
    expect(await speak(`schema ${name}`, given)).toEqual({
      exitCode: 2,
      out: '',
      err: `error mediasweep schema: there is no schema "${name}".${suggestion} There are pipeline, accounts.\n`,
    });
  });
});
