/** How many frames Qiniu will cut from a video, and so how many units each op uses. */
import type { UsageQuestion } from '../../domain/service.ts';
import type { Usage } from '../../domain/usage.ts';
import { skuOf } from './answer.ts';
import { type Options, readFrameCutting } from './options.ts';

/** Stand in where neither the manifest nor the file tells; an account's `assume` overrides them. */
const assumedDurationSeconds = 600;
const assumedKeyFrameGapSeconds = 2;

/** What it names is what is counted, since that is nearer to the truth than any assumed gap. */
const sparseIndex = 'MKV, WebM and fragmented MP4 have no key frames but those that their index names';

type Question = UsageQuestion & { readonly use: { readonly options: Options } };

/**
 * One unit per cut frame and op (v1 page, "price", 2019-07-11). Mode 0 cuts at 0, interval, 2 x interval ... below the
 * duration; mode 1 cuts the key frames. The manifest's duration wins over the file's.
 */
export function estimateUsage(question: Question): Usage {
  const { options } = question.use;
  const { frames, assumptions } = countFrames(question, readFrameCutting(options));
  return {
    units: Object.fromEntries(options.ops.map(({ op }) => [skuOf(op), frames])),
    basis: 'estimated',
    ...(assumptions.length === 0 ? {} : { assumptions }),
  };
}

function countFrames(
  question: Question,
  cutting: ReturnType<typeof readFrameCutting>,
): { readonly frames: number; readonly assumptions: readonly string[] } {
  const { keyFrames, hasSparseIndex } = question.media;
  if (cutting.mode === 1 && keyFrames !== undefined) {
    const assumptions = hasSparseIndex === true ? [sparseIndex] : [];
    return { frames: Math.max(1, keyFrames), assumptions };
  }

  const assumptions: string[] = [];
  let duration = findDuration(question);
  if (duration === undefined) {
    duration = question.assume.durationSeconds ?? assumedDurationSeconds;
    assumptions.push(`videos of unknown duration last ${duration} s`);
  }
  let gap = cutting.intervalSeconds;
  if (cutting.mode === 1) {
    gap = question.assume.keyFrameGapSeconds ?? assumedKeyFrameGapSeconds;
    assumptions.push(`videos without an index have a key frame every ${gap} s`);
  }
  // In whole milliseconds, since 6.6 / 1.1 is not 6 in floating point.
  const frames = Math.ceil(Math.round(duration * 1000) / Math.round(gap * 1000));
  return { frames: Math.max(1, frames), assumptions };
}

function findDuration({ item, media }: Question): number | undefined {
  return [item.durationSeconds, media.durationSeconds].find((one) => one !== undefined && one > 0);
}
