/** Whom a run tells: what is asked of `notify:`, and that secrets stand in no file and no message. */
import { describe, expect, test } from 'vitest';
import { environment, load, loadFine, secret, withLines } from './project.ts';

const url = 'https://oapi.dingtalk.com/robot/send?access_token=tell-nobody';
const variables = { ...environment, HOOK_URL: url, HOOK_SECRET: secret };

function read(text: string, given: Readonly<Record<string, string | undefined>> = variables) {
  return load({ 'pipelines/p.yaml': withLines(text) }, given);
}

describe('notify', () => {
  test('takes address and secret from the environment, and tells of failures, flags and caps if nothing is said', async () => {
    const { pipeline } = await read(
      `notify:
  - { webhook: "\${HOOK_URL}", format: dingtalk, secret: "\${HOOK_SECRET}" }
  - { webhook: "http://monitor.local/hooks", on: [finished] }
`,
    );
    expect(pipeline?.notify).toEqual([
      { webhook: url, format: 'dingtalk', secret, on: ['failure', 'flagged', 'cap80'] },
      { webhook: 'http://monitor.local/hooks', format: 'json', on: ['finished'] },
    ]);
  });

  test('is nobody where nothing is written', async () => {
    expect((await loadFine(withLines(''))).notify).toEqual([]);
  });

  const faults: readonly (readonly [string, readonly string[]])[] = [
    ['notify: 3\n', ['pipelines/p.yaml:5:9 notify: expected a list of webhooks, found 3.']],
    [
      'notify: [{ format: slack, on: [cap90], secrt: x }]\n',
      [
        'pipelines/p.yaml:5:10 notify[0].webhook: this key is missing: expected an http or https address, such as "${HOOK_URL}".',
        'pipelines/p.yaml:5:20 notify[0].format: expected one of "json", "dingtalk", "feishu", found "slack".',
        'pipelines/p.yaml:5:32 notify[0].on[0]: expected one of "failure", "flagged", "cap80", "finished", found "cap90".',
        'pipelines/p.yaml:5:40 notify[0].secrt: unknown key "secrt". Known here: webhook, format, secret, on.',
      ],
    ],
    [
      'notify: [{ webhook: "${HOOK_NO}" }]\n',
      [
        'pipelines/p.yaml:5:21 notify[0].webhook: environment variable HOOK_NO is not set. Set it, or name another variable.',
      ],
    ],
    [
      'notify: [{ webhook: "${HOOK_SECRET}" }]\n',
      [
        'pipelines/p.yaml:5:21 notify[0].webhook: expected an http or https address, such as "${HOOK_URL}", found a text that is not shown, being secret.',
      ],
    ],
  ];
  test.each(faults)('%s is told with every fault', async (text, problems) => {
    const told = await read(text);
    expect(told.problems).toEqual(problems);
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  test.each([
    [`{ webhook: "${url}" }`, 'webhook'],
    ['{ webhook: "https://open.feishu.cn/open-apis/bot/v2/hook/tell-nobody", format: feishu }', 'webhook'],
    ['{ webhook: "http://monitor.local/hooks", secret: tell-nobody }', 'secret'],
  ])('%s, with a secret written out, is refused without showing it', async (entry, key) => {
    const { problems } = await read(`notify: [${entry}]\n`);
    expect(problems).toEqual([
      expect.stringMatching(
        new RegExp(
          `notify\\[0\\]\\.${key}: expected a variable such as "\\$\\{HOOK\\}", found a text that is not shown`,
        ),
      ),
    ]);
    expect(problems.join()).not.toContain('tell-nobody');
  });

  test('changes no hash by its secrets, and the hash by what is told', async () => {
    const text = 'notify: [{ webhook: "${HOOK_URL}" }]\n';
    const one = await read(text);
    const other = await read(text, { ...variables, HOOK_URL: 'https://elsewhere.example/' });
    expect(one.pipeline?.hash).toBe(other.pipeline?.hash);
    expect(one.pipeline?.shapeHash).toBe((await read('')).pipeline?.shapeHash);
    expect(one.pipeline?.hash).not.toBe((await read('')).pipeline?.hash);
    expect(JSON.stringify(one.pipeline?.written)).not.toContain('tell-nobody');
  });
});
