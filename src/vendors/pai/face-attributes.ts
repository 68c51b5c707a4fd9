/** `pai/face-attributes`: shape, hair colour and hair style of every face; an empty list means that there is none. */
import { z } from 'zod';
import type { Label } from '../../domain/finding.ts';
import { keepMetrics, lenientNumber } from './answer.ts';
import { noOptions } from './configure.ts';
import { defineImageService, faceLimits } from './image-call.ts';

/** Class to probability; classes whose value is no number are left out. */
const distribution = z
  .record(z.string(), z.unknown())
  .catch({})
  .transform((classes) =>
    Object.entries(classes).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  )
  .optional();

const face = z.looseObject({
  FaceShape: distribution,
  HairColor: distribution,
  MaleHairStyle: distribution,
  FemaleHairStyle: z
    .looseObject({
      BangsType: distribution,
      FemaleCurlyHairType: distribution,
      FemaleHairType: distribution,
      FemaleLongShortHair: distribution,
      // The manual's table calls these "Tied hair" and "Braided hair", but the keys are Chinese.
      扎发: lenientNumber,
      编发: lenientNumber,
    })
    .optional()
    .catch(undefined),
  bbox: z.array(z.number()).length(4).optional().catch(undefined),
  face_score: lenientNumber,
});
type Face = z.infer<typeof face>;

const answer = z.looseObject({ attr: z.array(face) });

const attributes = [
  'FaceShape',
  'HairColor',
  'MaleHairStyle',
  'FemaleHairType',
  'FemaleLongShortHair',
  'FemaleCurlyHairType',
  'BangsType',
] as const;

export const faceAttributes = defineImageService({
  name: 'pai/face-attributes',
  vendorCall: 'FaceAttrImage',
  action: 'FaceAttrImage',
  defaultModel: '',
  about: 'describes the shape, hair colour and hair style of each face in an image',
  options: noOptions,
  exampleOptions: {},
  limits: faceLimits,
  columns: () => ({
    metrics: ['faces', 'face_score', 'bbox', '扎发', '编发'],
    tops: attributes.map((op) => ({ op, normal: op === 'BangsType' ? ['无刘海'] : [] })),
  }),
  read: (data) => {
    const parsed = answer.safeParse(data);
    if (!parsed.success) return undefined;
    const faces = parsed.data.attr;
    const metrics = { faces: faces.length, ...readLargest(faces) };
    return { finding: { labels: mergeLabels(faces.flatMap(readFace)), segments: [], metrics } };
  },
});

/** Metrics of the face with the largest rectangle; hair is tied or braided from 0.5 on. */
function readLargest(faces: readonly Face[]): Record<string, number | string> {
  const largest = faces.toSorted((a, b) => measureArea(b) - measureArea(a))[0];
  if (!largest) return {};
  return keepMetrics({
    face_score: largest.face_score,
    bbox: largest.bbox?.join(','),
    扎发: largest.FemaleHairStyle?.['扎发'],
    编发: largest.FemaleHairStyle?.['编发'],
  });
}

function measureArea({ bbox: [left = 0, top = 0, right = 0, bottom = 0] = [] }: Face): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

/** The leading class of each attribute. Kinds of curl mean something only if curly hair leads (manual, "Data"). */
function readFace(one: Face): Label[] {
  const female = one.FemaleHairStyle;
  const isCurly = findLead(female?.FemaleHairType)?.[0] === '卷发';
  const distributions: Record<(typeof attributes)[number], readonly [string, number][] | undefined> = {
    FaceShape: one.FaceShape,
    HairColor: one.HairColor,
    MaleHairStyle: one.MaleHairStyle,
    FemaleHairType: female?.FemaleHairType,
    FemaleLongShortHair: female?.FemaleLongShortHair,
    FemaleCurlyHairType: isCurly ? female?.FemaleCurlyHairType : undefined,
    BangsType: female?.BangsType,
  };
  return attributes.flatMap((op) => {
    const lead = findLead(distributions[op]);
    return lead ? [{ op, label: lead[0], score: lead[1] }] : [];
  });
}

function findLead(classes: readonly [string, number][] | undefined): readonly [string, number] | undefined {
  return classes?.toSorted((a, b) => b[1] - a[1])[0];
}

/** One label per attribute and class, with the highest score of all faces, so that a rule sees every face. */
function mergeLabels(labels: readonly Label[]): Label[] {
  const merged = new Map<string, Label>();
  for (const label of labels) {
    const key = `${label.op} ${label.label}`;
    const known = merged.get(key);
    if (!known || known.score < label.score) merged.set(key, label);
  }
  return [...merged.values()];
}
