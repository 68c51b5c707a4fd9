/** What may stand in `config/policies/NAME.yaml`, and in `policy: { rules }` of a pipeline. */
import { z } from 'zod';
import { comparisonShape, scoreShape, wordShape } from './scalar.ts';

const labelExpected = 'expected a label in quotes, or a list of at least one';
/** People leave the quotes of "0" out; labels are texts all the same. */
const labelShape = z.union([wordShape, z.int()]).transform(String);

/** What a rule, and the `when` of a service, ask of one service's answer. */
export const conditionShape = z.strictObject({
  service: wordShape.meta({
    description: 'Name of the service in the pipeline: its `as`, else its `use`.',
    examples: ['qiniu/video-censor'],
  }),
  op: wordShape.optional().meta({ description: 'Only labels of this op.', examples: ['politician'] }),
  label: z
    .union([labelShape, z.array(labelShape).min(1)], { error: labelExpected })
    .transform((written) => (typeof written === 'string' ? [written] : written))
    .optional()
    .meta({ description: 'Exact text of the label, or a list of which any counts.', examples: ['0'] }),
  score: scoreShape
    .optional()
    .meta({ description: 'Comparison with the score, 0 to 1.', examples: ['>= 0.6'] }),
  metric: wordShape
    .optional()
    .meta({ description: "Name of a metric in the vendor's spelling.", examples: ['iqa_result'] }),
  is: comparisonShape.optional().meta({ description: 'Comparison with the metric.', examples: ['< 40'] }),
});

export const ruleShape = z.strictObject({
  name: wordShape.optional().meta({ description: "Reason in the reports; the rule's own text if left out." }),
  ...conditionShape.shape,
  verdict: z
    .enum(['pass', 'review', 'block'])
    .meta({ description: 'What an item gets that the rule matches; the worst of all rules counts.' }),
});

const rules = z.array(ruleShape).meta({ description: 'Rules; an item that none matches passes.' });

export const inlinePolicyShape = z.strictObject({ rules });

export const policyShape = z.strictObject({ rules }).meta({ title: 'Mediasweep policy' });
