/** The stand-in's answers in the documented shapes; every number follows from the SHA-256 of the media. */
import { jitter } from '../../../domain/clock.ts';
import type { SeenImage, SeenVideo } from './media.ts';
import {
  ageRanges,
  faceClasses,
  femaleClasses,
  imageTags,
  paintingWords,
  videoClasses,
  videoTags,
} from './vocabulary.ts';

type Configure = Readonly<Record<string, unknown>>;

/** What an image service answers as `data`; `undefined` where that model is not deployed. */
export function answerImage(action: string, model: string, image: SeenImage, configure: Configure): unknown {
  switch (`${action}/${model}`) {
    case 'ImageQA/':
      return { ...sizeOf(image), iqa_result: round(35 + 60 * draw(image, 'quality'), 2) };
    case 'FaceAttrImage/':
      return { attr: drawFaces(image) };
    case 'FaceAttrImage/fairface':
      return drawAge(image);
    case 'MultiLabelImageV2/':
      return {
        ...sizeOf(image),
        tag_result: rank(image, imageTags, readTopK(configure, 'tag_top_k', 10), 'tag'),
        ...(configure['output_embedding'] === false ? {} : { embedding_result: drawVector(image, 512) }),
      };
    case 'MultiLabelImageV2/tagger':
      return drawPainting(image, configure);
    case 'MultiLabelImageV2/body_reshaping':
    case 'MultiLabelImageV2/watermark_remover':
      // The picture comes back as it was: what counts is that it is one.
      return Buffer.from(image.bytes).toString('base64');
    default:
      return undefined;
  }
}

/** The models of the image services, as `action/model_name`. */
export const imageModels: ReadonlySet<string> = new Set([
  'ImageQA/',
  'FaceAttrImage/',
  'FaceAttrImage/fairface',
  'MultiLabelImageV2/',
  'MultiLabelImageV2/tagger',
  'MultiLabelImageV2/body_reshaping',
  'MultiLabelImageV2/watermark_remover',
]);

/** `Result` of a quality job before it is made a string, in whole seconds or with a fraction. */
export function answerVideoQuality(video: SeenVideo, isWhole: boolean): unknown {
  const seconds = round(video.durationSeconds, 6);
  return {
    avg_fps: Math.round(video.framesPerSecond),
    duration: isWhole ? Math.floor(seconds) : seconds,
    height: video.height,
    single_img: round(draw(video, 'frames'), 10),
    video_score: 15 + 80 * draw(video, 'quality'),
    width: video.width,
  };
}

/** `Result` of a labels job; a post without a video has `""` for the size and length of one. */
export function answerLabels(
  seed: { readonly sha256: string },
  video: SeenVideo | undefined,
  configure: Configure,
  { dimensions, isWhole }: { readonly dimensions: number; readonly isWhole: boolean },
): unknown {
  const seconds = video ? round(video.durationSeconds, 6) : '';
  return {
    ...(configure['output_classification'] === false
      ? {}
      : {
          classification_result: rank(
            seed,
            videoClasses,
            readTopK(configure, 'classification_top_k', 1),
            'class',
          ),
        }),
    duration: isWhole && seconds !== '' ? Math.floor(seconds) : seconds,
    ...(configure['output_embedding'] === false ? {} : { embedding_result: drawVector(seed, dimensions) }),
    ...(configure['output_tag'] === false
      ? {}
      : { tag_result: rank(seed, videoTags, readTopK(configure, 'tag_top_k', 5), 'tag') }),
    video_height: video ? video.height : '',
    video_width: video ? video.width : '',
  };
}

function sizeOf({ width, height }: SeenImage) {
  return { image_height: height, image_width: width };
}

/** From 0 to 1, the same for the same bytes and purpose. */
function draw({ sha256 }: { readonly sha256: string }, purpose: string): number {
  return jitter(`${sha256}/${purpose}`);
}

function round(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

/** What the vendor does outside the range is not documented; here it is brought back into it. */
function readTopK(configure: Configure, key: string, standard: number): number {
  const value = configure[key];
  return typeof value === 'number' ? Math.min(10, Math.max(1, Math.round(value))) : standard;
}

function rank(
  seed: { readonly sha256: string },
  words: readonly string[],
  count: number,
  name: 'tag' | 'class',
): unknown[] {
  return words
    .map((word) => ({ word, score: round(draw(seed, word) ** 2, 3) }))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, count)
    .map(({ word, score }) => (name === 'tag' ? { score, tag: word } : { class: word, score }));
}

function drawVector(seed: { readonly sha256: string }, length: number): string {
  return Array.from({ length }, (_, index) => round(4 * draw(seed, `vector ${index}`) - 2, 3)).join(',');
}

function drawAge(image: SeenImage) {
  const age_range = ageRanges[Math.floor(draw(image, 'age') * ageRanges.length)];
  return { age_range, age_raneg_prob: round(0.4 + 0.6 * draw(image, 'age is right'), 4) };
}

/** `probs` covers the model's whole label set, so its places are not those of the words in `caption`. */
function drawPainting(image: SeenImage, configure: Configure) {
  const threshold = typeof configure['threshold'] === 'number' ? configure['threshold'] : 0.5;
  const named = paintingWords.filter((word) => draw(image, word) >= threshold);
  const probs = Array.from({ length: 96 }, (_, index) => draw(image, `label ${index}`) ** 8);
  return { caption: named.join(', '), probs };
}

function drawFaces(image: SeenImage): unknown[] {
  // A face must be larger than 100 x 100.
  const room = Math.min(image.width, image.height);
  const count = room > 100 ? Math.floor(draw(image, 'faces') * 4) : 0;
  return Array.from({ length: count }, (_, index) => {
    const side = Math.floor(101 + (room - 101) * draw(image, `side ${index}`) ** 2);
    const left = Math.floor((image.width - side) * draw(image, `left ${index}`));
    const top = Math.floor((image.height - side) * draw(image, `top ${index}`));
    const spread = (name: string, classes: readonly string[]) =>
      drawClasses(image, `${name} ${index}`, classes);
    const spreadAll = (groups: Readonly<Record<string, readonly string[]>>) =>
      Object.fromEntries(Object.entries(groups).map(([name, classes]) => [name, spread(name, classes)]));
    const { FaceShape, HairColor, MaleHairStyle } = faceClasses;
    return {
      FaceShape: spread('FaceShape', FaceShape),
      FemaleHairStyle: {
        ...spreadAll(femaleClasses),
        扎发: round(draw(image, `tied ${index}`), 4),
        编发: round(draw(image, `braided ${index}`), 4),
      },
      HairColor: spread('HairColor', HairColor),
      MaleHairStyle: spread('MaleHairStyle', MaleHairStyle),
      bbox: [left, top, left + side, top + side],
      face_score: round(1 + 3 * draw(image, `face ${index}`), 4),
      index,
    };
  });
}

/** Probabilities with four decimals that sum to 1 within rounding. */
function drawClasses(image: SeenImage, purpose: string, classes: readonly string[]): Record<string, number> {
  const weights = classes.map((one) => draw(image, `${purpose} ${one}`) ** 6 + 1e-6);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Object.fromEntries(classes.map((one, index) => [one, round((weights[index] ?? 0) / sum, 4)]));
}
