/** What may stand in `config/`: accounts, storages and prices, each key with its description, default and example. */
import { z } from 'zod';
import { limitsShape } from './pipeline.ts';
import {
  addressShape,
  countShape,
  dayShape,
  durationShape,
  listenShape,
  moneyShape,
  priceShape,
  wordShape,
  zoneShape,
} from './scalar.ts';

const unitsShape = z.int().min(0);

const bookedShape = z.enum(['free', 'billed']);

const packShape = z.strictObject({
  units: countShape.meta({ description: 'Units bought.', examples: [5_000_000] }),
  expires: dayShape.meta({ description: 'Last day on which it serves.', examples: ['2027-06-30'] }),
  cost: moneyShape.meta({ description: 'What it cost.', examples: ['19500'] }),
});

const monthShape = z
  .string()
  .regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, { error: 'expected months such as 2026-11 as keys' });

const billingShape = z.strictObject({
  freeUsed: unitsShape
    .default(0)
    .meta({ description: 'Units of the free quota used outside this ledger.', examples: [200] }),
  usedThisMonth: z
    .record(monthShape, unitsShape)
    .default({})
    .meta({ description: 'Units used outside this ledger, by month.', examples: [{ '2026-11': 1_200_000 }] }),
  packs: z.array(packShape).default([]).meta({ description: 'Resource packs that are or were bought.' }),
});

/** Keys of every account; its vendor's credential fields stand beside them. */
export const accountShape = z.strictObject({
  vendor: wordShape.meta({ description: 'Name of the vendor.', examples: ['pai'] }),
  endpoint: addressShape
    .optional()
    .meta({ description: "Where the vendor answers; the vendor's own address if left out." }),
  limits: limitsShape.prefault({}).meta({ description: 'Pace that the vendor allows this account.' }),
  billing: z
    .record(z.string(), billingShape)
    .default({})
    .meta({ description: 'By SKU: what the ledger cannot know.' }),
  booking: z
    .strictObject({
      refused: bookedShape.default('free').meta({ description: 'A call that was refused.' }),
      modelFailed: bookedShape.default('billed').meta({ description: 'A call whose model failed.' }),
      failedJob: bookedShape.default('billed').meta({ description: 'A job that failed.' }),
    })
    .prefault({})
    .meta({ description: 'What failures cost, which vendors do not document.' }),
  assume: z
    .strictObject({
      keyFrameGap: durationShape()
        .optional()
        .meta({ description: 'Time between key frames where they cannot be counted.', examples: ['2s'] }),
      duration: durationShape()
        .optional()
        .meta({ description: 'Length of a video where it cannot be read.', examples: ['10m'] }),
    })
    .prefault({})
    .meta({ description: 'Stands in where nothing can be read; named on the estimate and the bill.' }),
  returnsEmptyFrames: z.boolean().default(false).meta({
    description: 'Whether answers list frames without a finding, so that units can be counted from them.',
  }),
  callback: z
    .strictObject({
      listen: listenShape.meta({ description: 'Host and port of our server.', examples: ['127.0.0.1:8787'] }),
      publicUrl: addressShape.meta({
        description: 'Address under which the vendor reaches it.',
        examples: ['https://hooks.example'],
      }),
    })
    .optional()
    .meta({ description: 'Where the vendor calls back, for delivery: callback.' }),
  caps: z
    .strictObject({
      month: moneyShape.optional().meta({
        description: 'Money that everything on the ledger for this account may not pass in a calendar month.',
        examples: ['50000 CNY'],
      }),
    })
    .prefault({})
    .meta({ description: 'What this account may not pass, whichever pipelines use it.' }),
});

export const storageShape = z.strictObject({
  endpoint: addressShape.optional().meta({
    description: 'Address of the S3-compatible store; AWS if left out.',
    examples: ['https://s3.example'],
  }),
  region: wordShape.default('us-east-1').meta({ description: 'Region that links are signed for.' }),
  pathStyle: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the bucket stands in the path instead of the host name.' }),
  accessKeyId: wordShape.optional().meta({
    description: 'From the environment; the AWS credential chain if left out.',
    examples: ['${S3_KEY}'],
  }),
  secretAccessKey: wordShape
    .optional()
    .meta({ description: 'From the environment.', examples: ['${S3_SECRET}'] }),
  sessionToken: z
    .string()
    .optional()
    .meta({
      description: 'From the environment, for temporary credentials; none if empty.',
      examples: ['${S3_SESSION_TOKEN:-}'],
    }),
  allowPrivateAddresses: z.boolean().default(false).meta({
    description: 'Whether manifests that name this storage may have URLs on private addresses probed.',
  }),
  egress: moneyShape.optional().meta({
    description:
      'Price of a gigabyte (1,073,741,824 bytes, as stores bill it) that leaves the store; `estimate` shows what the vendors will fetch.',
    examples: ['0.50 CNY'],
  }),
});

/** Fields of a storage that are never shown. */
export const secretStorageKeys: readonly string[] = ['accessKeyId', 'secretAccessKey', 'sessionToken'];

const tierShape = z.strictObject({
  upTo: countShape.optional().meta({
    description: 'Last unit of the month at this price; left out in the last tier.',
    examples: [3_000_000],
  }),
  price: priceShape.meta({ description: 'Price of `per` units.', examples: ['0.155'] }),
});

export const skuShape = z.strictObject({
  unit: wordShape.meta({ description: 'What is counted.', examples: ['image or frame'] }),
  per: countShape.default(1).meta({ description: 'How many units a price is for.', examples: [100] }),
  tiers: z
    .array(tierShape)
    .min(1)
    .optional()
    .meta({ description: 'Prices graduated over the calendar month, ascending.' }),
  price: z
    .union([z.literal('unknown'), priceShape], {
      error: 'expected a price as a decimal in quotes such as "0.155", or unknown',
    })
    .optional()
    .meta({ description: 'One price for all units, or unknown.', examples: ['unknown'] }),
  free: z
    .union(
      [unitsShape, z.strictObject({ units: unitsShape, per: z.enum(['once', 'month']).default('once') })],
      { error: 'expected a whole number of units, or { units: 200, per: month }' },
    )
    .optional()
    .meta({
      description: 'Free units: a number is granted once.',
      examples: [200, { units: 200, per: 'month' }],
    }),
  increment: countShape.optional().meta({
    description:
      'Smallest number of units that is billed: what the tiers charge of a month is counted in whole multiples of it, one that was begun counts whole. 1 if left out.',
    examples: [100],
  }),
  source: wordShape.optional().meta({ description: 'Where the figures come from.' }),
  readOn: dayShape.optional().meta({ description: 'When they were read.', examples: ['2026-11-20'] }),
});

export const pricesShape = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, { error: 'expected a currency of three capital letters, such as "CNY"' })
      .meta({ description: 'Currency of all prices.', examples: ['CNY'] }),
    timezone: zoneShape.meta({
      description: "Time zone in which the vendors' months begin.",
      examples: ['Asia/Shanghai'],
    }),
    skus: z.record(z.string(), skuShape).meta({ description: 'Price by SKU.' }),
  })
  .meta({ title: 'Mediasweep prices' });
