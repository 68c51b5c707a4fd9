/** Faults and warnings of policies. */
import { expect, test } from 'vitest';
import { type Changes, load, withLines, withService } from './project.ts';

const watch = 'use: toy/watch\noptions: { ops: [{ op: mood }] }';
const p = (text: string, more: Changes = {}): Changes => ({ 'pipelines/p.yaml': text, ...more });

const cases: readonly (readonly [
  claim: string,
  changes: Changes,
  problems: readonly string[],
  warnings: readonly string[],
])[] = [
  [
    'a misspelt policy is told with the right one',
    p(withLines('policy: strikt\n')),
    ['pipelines/p.yaml:5:9 policy: there is no policy "strikt" in config/policies. Did you mean "strict"?'],
    [],
  ],
  [
    'a policy unlike any is told with all',
    p(withLines('policy: somethingelse\n')),
    ['pipelines/p.yaml:5:9 policy: there is no policy "somethingelse" in config/policies. Known: strict.'],
    [],
  ],
  [
    'a policy without any file is told to be added',
    p(withLines('policy: strict\n'), { 'config/policies/strict.yaml': undefined }),
    ['pipelines/p.yaml:5:9 policy: there is no policy "strict" in config/policies. Add the file.'],
    [],
  ],
  [
    'a policy is a name or rules',
    p(withLines('policy: 3\n')),
    [
      'pipelines/p.yaml:5:9 policy: expected the name of a file in config/policies, or a map with rules, found 3.',
    ],
    [],
  ],
  [
    'inline rules are a list',
    p(withLines('policy: { rules: 3, rule: 2 }\n')),
    [
      'pipelines/p.yaml:5:18 policy.rules: expected a list of rules, found 3.',
      'pipelines/p.yaml:5:21 policy.rule: unknown key "rule". Did you mean "rules"?',
    ],
    [],
  ],
  [
    'an inline policy without rules lacks them',
    p(withLines('policy: {}\n')),
    ['pipelines/p.yaml:5:9 policy.rules: this key is missing: expected a list of rules.'],
    [],
  ],
  [
    'every fault of every rule is told at once',
    p(
      withLines(
        [
          'policy:',
          '  rules:',
          '    - { service: toy/imag, score: 0.6, verdict: pass }',
          '    - { service: toy/image, op: tags, label: [], verdict: blok }',
          '    - { service: toy/image, verdict: review }',
          '    - { service: toy/image, metric: quality, verdict: review }',
          '    - { service: toy/image, is: "< 3", verdict: review }',
          '    - { service: toy/image, metric: qualty, is: "~ 3", verdict: review }',
          '    - { service: toy/image, metric: quality, is: "< 3", op: tag, verdict: review, lable: x }',
          '    - { service: toy/image, score: ">= 60", verdict: review }',
          '    - { op: tag, label: x }',
          '    - 3',
          '',
        ].join('\n'),
      ),
    ),
    [
      'pipelines/p.yaml:7:18 policy.rules[0].service: there is no service "toy/imag" in this pipeline. Did you mean "toy/image"?',
      'pipelines/p.yaml:7:35 policy.rules[0].score: expected a comparison with a score from 0 to 1, such as ">= 0.6" (operators: < <= > >= == !=), found 0.6.',
      'pipelines/p.yaml:8:33 policy.rules[1].op: there is no op "tags" in what this pipeline asks of toy/image. Did you mean "tag"?',
      'pipelines/p.yaml:8:46 policy.rules[1].label: expected a text that is not empty or a whole number or a list of at least 1 entry, found an empty list.',
      'pipelines/p.yaml:8:59 policy.rules[1].verdict: expected one of "pass", "review", "block", found "blok".',
      'pipelines/p.yaml:9:7 policy.rules[2]: expected a label, a score or both, or metric and is, found none. Say when the rule holds.',
      'pipelines/p.yaml:10:37 policy.rules[3].metric: expected metric and is together, found metric alone. Add is.',
      'pipelines/p.yaml:11:33 policy.rules[4].is: expected metric and is together, found is alone. Add metric.',
      'pipelines/p.yaml:12:49 policy.rules[5].is: expected a comparison such as "< 40" or "== male" (operators: < <= > >= == !=; texts only with == and !=), found "~ 3".',
      'pipelines/p.yaml:13:61 policy.rules[6].op: a rule on a metric has no op. Remove it, or write two rules.',
      'pipelines/p.yaml:13:83 policy.rules[6].lable: unknown key "lable". Did you mean "label"?',
      'pipelines/p.yaml:14:36 policy.rules[7].score: expected a comparison with a score from 0 to 1, such as ">= 0.6" (operators: < <= > >= == !=), found ">= 60".',
      'pipelines/p.yaml:15:7 policy.rules[8].service: this key is missing: expected a text that is not empty.',
      'pipelines/p.yaml:15:7 policy.rules[8].verdict: this key is missing: expected one of "pass", "review", "block".',
      'pipelines/p.yaml:16:7 policy.rules[9]: expected a map, found 3.',
    ],
    [
      'pipelines/p.yaml:12:37 policy.rules[5].metric: toy/image declares no metric "qualty", so the rule may never hold. Did you mean "quality"?',
    ],
  ],
  [
    'a rule on labels that may be normal must name its label',
    p(
      withService(
        watch,
        [
          'policy:',
          '  rules:',
          '    - { service: toy/watch, op: mood, score: ">= 0.6", verdict: review }',
          '    - { service: toy/watch, score: ">= 0.6", verdict: review }',
          '    - { service: toy/watch, op: mood, label: wild, verdict: review }',
          '',
        ].join('\n'),
      ),
    ),
    [
      'pipelines/p.yaml:8:33 policy.rules[0].op: expected a label beside the score, found none: op "mood" also answers with "calm" for what is normal, so the rule would flag normal frames. Add `label:`.',
      'pipelines/p.yaml:9:7 policy.rules[1]: expected a label beside the score, found none: op "mood" also answers with "calm" for what is normal, so the rule would flag normal frames. Add `label:`.',
    ],
    [],
  ],
  [
    'a rule of a shared file on an op that is not asked for is a warning',
    p(withService(watch, 'policy: strict\n')),
    [],
    [
      'config/policies/strict.yaml:2:47 rules[0].op: there is no op "faces" in what this pipeline asks of toy/watch, so the rule never holds here. It has: mood.',
    ],
  ],
  [
    'a rule of a shared file on a service that is not used is fine, and on none in the catalogue a warning',
    p(withLines('policy: strict\n'), {
      'config/policies/strict.yaml':
        'rules: [{ service: toy/wach, op: faces, score: "> 0.5", verdict: review }, { service: toy/post, label: x, verdict: review }, { service: mine, label: x, verdict: review }]\nname: x\n',
    }),
    ['config/policies/strict.yaml:2:1 name: unknown key "name". Known here: rules.'],
    [
      'config/policies/strict.yaml:1:20 rules[0].service: there is no service "toy/wach" in this pipeline, so the rule never holds here. Did you mean "toy/watch"?',
      'config/policies/strict.yaml:1:137 rules[2].service: there is no service "mine" in this pipeline, so the rule never holds here. It has: toy/image.',
    ],
  ],
  [
    'a rule of a shared file flags normal frames even where this pipeline does not ask for them',
    p(withService('use: toy/watch\noptions: { ops: [{ op: faces }] }', 'policy: strict\n'), {
      'config/policies/strict.yaml':
        'rules: [{ service: toy/watch, op: mood, score: "> 0.5", verdict: review }]\n',
    }),
    [
      'config/policies/strict.yaml:1:35 rules[0].op: expected a label beside the score, found none: op "mood" also answers with "calm" for what is normal, so the rule would flag normal frames. Add `label:`.',
    ],
    [
      'config/policies/strict.yaml:1:35 rules[0].op: there is no op "mood" in what this pipeline asks of toy/watch, so the rule never holds here. It has: faces.',
    ],
  ],
  [
    'a service without ops has no rule on one',
    p(
      withService(
        'use: toy/video',
        'policy: { rules: [{ service: toy/video, op: tag, label: x, verdict: review }, { service: toy/video, metric: speed, is: "== slow", verdict: pass }] }\n',
      ),
    ),
    [
      'pipelines/p.yaml:5:45 policy.rules[0].op: there is no op "tag" in what this pipeline asks of toy/video. It has no ops: remove the key.',
    ],
    [
      'pipelines/p.yaml:5:109 policy.rules[1].metric: toy/video declares no metric "speed", so the rule may never hold. It declares: quality.',
    ],
  ],
  [
    'order is for numbers only',
    p(
      withLines(
        'policy: { rules: [{ service: toy/image, metric: quality, is: "< high", verdict: review }] }\n',
      ),
    ),
    [
      'pipelines/p.yaml:5:62 policy.rules[0].is: expected a comparison such as "< 40" or "== male" (operators: < <= > >= == !=; texts only with == and !=), found "< high".',
    ],
    [],
  ],
];

test.each(cases)('%s', async (_, changes, problems, warnings) => {
  const told = await load(changes);
  expect(told.problems).toEqual(problems);
  expect(told.warnings).toEqual(warnings);
  expect(told.pipeline === undefined).toBe(problems.length > 0);
});
