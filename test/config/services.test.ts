/** Faults and warnings of services. */
import { expect, test } from 'vitest';
import { type Changes, load, withService } from './project.ts';

const p = (text: string, more: Changes = {}): Changes => ({ 'pipelines/p.yaml': text, ...more });

const cases: readonly (readonly [
  claim: string,
  changes: Changes,
  problems: readonly string[],
  warnings: readonly string[],
])[] = [
  [
    'a pipeline without services lacks them',
    p('source: { bucket: { storage: main, bucket: m } }\n'),
    [
      'pipelines/p.yaml:1:1 services: this key is missing: expected a list of at least one service, such as "- use: toy/image".',
    ],
    [],
  ],
  [
    'services are a list',
    p('source: { bucket: { storage: main, bucket: m } }\nservices: { a: 1 }\n'),
    ['pipelines/p.yaml:2:11 services: expected a list of at least one service, found a map.'],
    [],
  ],
  [
    'an empty list of services is none',
    p('source: { bucket: { storage: main, bucket: m } }\nservices: []\n'),
    ['pipelines/p.yaml:2:11 services: expected a list of at least one service, found an empty list.'],
    [],
  ],
  [
    'a service is a map',
    p('source: { bucket: { storage: main, bucket: m } }\nservices: [3]\n'),
    ['pipelines/p.yaml:2:12 services[0]: expected a map, found 3.'],
    [],
  ],
  [
    'a misspelt service is told with the right one',
    p(withService('use: toy/imagee')),
    [
      'pipelines/p.yaml:4:10 services[0].use: there is no service "toy/imagee". Did you mean "toy/image"? `mediasweep catalogue` lists all.',
    ],
    [],
  ],
  [
    'a service unlike any is told with where to look',
    p(withService('use: qqqqqqqqqqq/zzzzzzzz')),
    [
      'pipelines/p.yaml:4:10 services[0].use: there is no service "qqqqqqqqqqq/zzzzzzzz". `mediasweep catalogue` lists all.',
    ],
    [],
  ],
  [
    'a misspelt key is told at the key with the right one',
    p(withService('use: toy/image\naccunt: x')),
    ['pipelines/p.yaml:5:5 services[0].accunt: unknown key "accunt". Did you mean "account"?'],
    [],
  ],
  [
    'a service without use lacks it',
    p(withService('options: 3')),
    [
      'pipelines/p.yaml:4:5 services[0].use: this key is missing: expected a text that is not empty.',
      'pipelines/p.yaml:4:14 services[0].options: expected a map, found 3.',
    ],
    [],
  ],
  [
    'a misspelt account is told with the right one',
    p(withService('use: toy/image\naccount: toy-prd')),
    [
      'pipelines/p.yaml:5:14 services[0].account: there is no account "toy-prd" in config/accounts.yaml. Did you mean "toy-prod"?',
    ],
    [],
  ],
  [
    'an option out of range is told with the range and the manual',
    p(withService('use: toy/image\noptions: { top_k: 50, threshhold: 1 }')),
    [
      'pipelines/p.yaml:5:23 services[0].options.top_k: expected a whole number from 1 to 10, found 50. Manual: Toy manual, "All calls", 2026-01-01.',
      'pipelines/p.yaml:5:27 services[0].options.threshhold: unknown key "threshhold". Did you mean "threshold"? Manual: Toy manual, "All calls", 2026-01-01.',
    ],
    [],
  ],
  [
    'a required option that is missing is told with the manual',
    p(withService('use: toy/watch')),
    [
      'pipelines/p.yaml:4:5 services[0].options.ops: this key is missing: expected a list of 1 to 2 entries. Manual: Toy manual, "All calls", 2026-01-01.',
    ],
    [],
  ],
  [
    'faults inside of options stand at their place',
    p(withService('use: toy/watch\noptions: { ops: [{ op: face }], interval: 0 }')),
    [
      'pipelines/p.yaml:5:28 services[0].options.ops[0].op: expected one of "faces", "mood", found "face". Manual: Toy manual, "All calls", 2026-01-01.',
      'pipelines/p.yaml:5:47 services[0].options.interval: expected a number from 1 to 60, found 0. Manual: Toy manual, "All calls", 2026-01-01.',
    ],
    [],
  ],
  [
    'a warning of the service stands at the option that it names',
    p(withService('use: toy/watch\noptions: { ops: [{ op: faces }], interval: 20 }')),
    [],
    ['pipelines/p.yaml:5:48 services[0].options.interval: 20 s is allowed, but sees little. Use at most 10.'],
  ],
  [
    'a batch needs a service with a batch form',
    p(withService('use: toy/image\nbatch: 2')),
    ['pipelines/p.yaml:5:12 services[0].batch: expected 1, since toy/image has no batch form, found 2.'],
    [],
  ],
  [
    'a batch is no larger than the service takes',
    p(withService('use: toy/video\nbatch: 21')),
    ['pipelines/p.yaml:5:12 services[0].batch: expected a whole number from 1 to 20, found 21.'],
    [],
  ],
  [
    'a batch is no larger than 100',
    p(withService('use: toy/video\nbatch: 101')),
    ['pipelines/p.yaml:5:12 services[0].batch: expected a whole number from 1 to 100, found 101.'],
    [],
  ],
  [
    'a batch is no larger than the jobs that may be open',
    p(withService('use: toy/video\nbatch: 20\nlimits: { maxOpenJobs: 10 }')),
    [
      'pipelines/p.yaml:5:12 services[0].batch: expected at most 10, the maxOpenJobs that holds here, since a batch counts its elements, found 20.',
    ],
    [],
  ],
  [
    'limits have their ranges',
    p(withService('use: toy/video\nlimits: { maxOpenJobs: 0, perSecond: 0, concurrency: 1.5 }')),
    [
      'pipelines/p.yaml:5:28 services[0].limits.maxOpenJobs: expected a whole number that is at least 1, found 0.',
      'pipelines/p.yaml:5:42 services[0].limits.perSecond: expected a number that is above 0 and at most 100000, found 0.',
      'pipelines/p.yaml:5:58 services[0].limits.concurrency: expected a whole number from 1 to 10000, found 1.5.',
    ],
    [],
  ],
  [
    'a delivery that the service does not offer is not supported yet',
    p(withService('use: toy/image\ndelivery: sync')),
    [
      'pipelines/p.yaml:5:15 services[0].delivery: delivery "sync" is not supported yet by toy/image: expected one of "call".',
    ],
    [],
  ],
  [
    'an unknown delivery is told with all',
    p(withService('use: toy/image\ndelivery: post')),
    [
      'pipelines/p.yaml:5:15 services[0].delivery: expected one of "call", "poll", "callback", "sync", found "post".',
    ],
    [],
  ],
  [
    'a delivery by callback needs an account that says where',
    p(withService('use: toy/watch\noptions: { ops: [{ op: faces }] }\ndelivery: callback')),
    [
      'pipelines/p.yaml:6:15 services[0].delivery: delivery "callback" needs callback: { listen, publicUrl } in account "toy-prod", found none. Add it there, or use delivery: poll.',
    ],
    [],
  ],
  [
    'a model has a name',
    p(withService('use: toy/image\noptions: { model_name: 3 }')),
    ['pipelines/p.yaml:5:28 services[0].options.model_name: expected the name of a model, found 3.'],
    [],
  ],
  [
    'a custom model without unitsPerCall is warned of',
    p(withService('use: toy/image\noptions: { model_name: mine }')),
    [],
    [
      'pipelines/p.yaml:5:28 services[0].options.model_name: a call of the custom model "mine" is counted as 1 unit, but may cost more. Set unitsPerCall beside use: to what the vendor bills, 1 if it is one.',
    ],
  ],
  [
    'a custom model with unitsPerCall is fine',
    p(withService('use: toy/image\nunitsPerCall: 2\noptions: { model_name: mine }')),
    [],
    [],
  ],
  [
    'a service without models knows no model_name',
    p(withService('use: toy/post\noptions: { model_name: mine }')),
    [
      'pipelines/p.yaml:5:16 services[0].options.model_name: unknown key "model_name". No key is known here. Manual: Toy manual, "All calls", 2026-01-01.',
    ],
    [],
  ],
  [
    'a misspelt model_name is told with the right one',
    p(withService('use: toy/image\noptions: { model_nam: mine }')),
    [
      'pipelines/p.yaml:5:16 services[0].options.model_nam: unknown key "model_nam". Did you mean "model_name"? Manual: Toy manual, "All calls", 2026-01-01.',
    ],
    [],
  ],
  [
    'a call costs at least one unit',
    p(withService('use: toy/image\nunitsPerCall: 0')),
    ['pipelines/p.yaml:5:19 services[0].unitsPerCall: expected a whole number that is at least 1, found 0.'],
    [],
  ],
  [
    'when names a service of the pipeline, with what a rule could ask of it',
    p(
      withService(
        'use: toy/image\nwhen: { service: toy/imag, metric: quality, is: "< 60" }',
        `  - { use: toy/image, as: b, when: { service: toy/image, metric: quality } }
  - { use: toy/image, as: c, when: { service: toy/image, metric: quality, is: "< 60", op: tag } }
  - { use: toy/image, as: d, when: { service: toy/image } }
  - { use: toy/image, as: e, when: { service: toy/image, metrik: quality, is: "< 60" } }
  - { use: toy/image, as: f, when: cheap }
`,
      ),
    ),
    [
      'pipelines/p.yaml:5:22 services[0].when.service: there is no service "toy/imag" in this pipeline. Did you mean "toy/image"?',
      'pipelines/p.yaml:6:66 services[1].when.metric: expected metric and is together, found metric alone. Add is.',
      'pipelines/p.yaml:7:91 services[2].when.op: a condition on a metric has no op. Remove it.',
      'pipelines/p.yaml:8:36 services[3].when: expected a label, a score or both, or metric and is, found none. Say when the condition holds.',
      'pipelines/p.yaml:9:58 services[4].when.metrik: unknown key "metrik". Did you mean "metric"?',
      'pipelines/p.yaml:9:79 services[4].when.is: expected metric and is together, found is alone. Add metric.',
      'pipelines/p.yaml:10:36 services[5].when: expected a map, found "cheap".',
    ],
    [],
  ],
  [
    'a condition on a service that never takes the same item is warned of',
    p(
      withService(
        'use: toy/image\nwhen: { service: post, score: ">= 0.5" }',
        '  - { use: toy/post, as: post }\n',
      ),
    ),
    [],
    [
      'pipelines/p.yaml:5:22 services[0].when.service: toy/image takes images, post takes posts: no item has an answer to go by, so that toy/image is always skipped. Name a service that takes the same kind.',
    ],
  ],
  [
    'conditions do not go in a circle',
    p(
      withService(
        'use: toy/image\nas: a\nwhen: { service: b, metric: quality, is: "< 60" }',
        `  - { use: toy/image, as: b, when: { service: a, metric: quality, is: "< 60" } }
  - { use: toy/image, as: c, when: { service: c, metric: quality, is: "< 60" } }
  - { use: toy/image, as: d, when: { service: a, metric: quality, is: "< 60" } }
`,
      ),
    ),
    [
      'pipelines/p.yaml:6:22 services[0].when.service: expected a service that comes to an answer without this one, found "b": "a" waits for "b", which waits for "a". Break the circle.',
      'pipelines/p.yaml:7:47 services[1].when.service: expected a service that comes to an answer without this one, found "a": "b" waits for "a", which waits for "b". Break the circle.',
      'pipelines/p.yaml:8:47 services[2].when.service: expected a service that comes to an answer without this one, found "c": "c" waits for "c". Break the circle.',
    ],
    [],
  ],
  [
    'a condition may stand before the service that it asks, and on one that waits itself',
    p(
      withService(
        'use: toy/image\nas: third\nwhen: { service: second, metric: quality, is: "< 20" }',
        `  - { use: toy/image, as: second, when: { service: first, op: tag, label: cat } }
  - { use: toy/image, as: first }
`,
      ),
    ),
    [],
    [],
  ],
  [
    'the same service twice needs another name',
    p(withService('use: toy/image', '  - use: toy/image\n')),
    [
      'pipelines/p.yaml:5:10 services[1].use: "toy/image" is used twice. Add `as: NAME` to one of the two, under which it stands everywhere.',
    ],
    [],
  ],
  [
    'two services may not share a name',
    p(withService('use: toy/image\nas: a', '  - { use: toy/image, as: a }\n')),
    ['pipelines/p.yaml:6:27 services[1].as: "a" is taken by an entry above. Choose another name.'],
    [],
  ],
  [
    'a service may not take the name of another',
    p(withService('use: toy/image\nas: toy/video')),
    [
      'pipelines/p.yaml:5:9 services[0].as: "toy/video" is the name of another service. Choose a name of your own.',
    ],
    [],
  ],
  [
    'a name has no blanks',
    p(withService('use: toy/image\nas: "a b"')),
    [
      'pipelines/p.yaml:5:9 services[0].as: expected a name of at most 64 letters, digits, "-", "_" and "/", found "a b".',
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
