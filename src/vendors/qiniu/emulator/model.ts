/** The model of the stand-in: which frames are cut, what is seen in them, and how frames become segments. */
import { jitter } from '../../../domain/clock.ts';
import type { FetchedVideo } from './media.ts';
import type { Asked, AskedCheck, EmulatedOp, Filter } from './submission.ts';

/** What is seen in one frame: a label with its score. */
interface Seen {
  readonly label: string;
  readonly score: number;
  readonly review: boolean;
}

/** Frames within one scene show the same, so that segments of several frames arise. */
const sceneMs = 12_000;
const invented = ['Person A', 'Person B', 'Person C', '某甲', '某乙', '某丙'] as const;

/** Times of the cut frames in milliseconds: a grid below the duration (mode 0), or the key frames (mode 1). */
export function listFrames(asked: Asked, video: FetchedVideo): readonly number[] {
  if (asked.mode === 1) return video.keyFramesMs.length > 0 ? video.keyFramesMs : [0];
  const stepMs = Math.round(asked.intervalSeconds * 1000);
  const count = Math.max(1, Math.ceil(Math.round(video.durationMs) / stepMs));
  return Array.from({ length: count }, (_, index) => index * stepMs);
}

/** The answer keyed by op. `keepsEmpty`: frames without a finding are shown too. */
export function moderate(asked: Asked, video: FetchedVideo, keepsEmpty: boolean): Record<string, unknown> {
  const frames = listFrames(asked, video);
  return Object.fromEntries(
    asked.checks.map((check) => [check.op, checkFrames(check, asked, video, frames, keepsEmpty)]),
  );
}

function checkFrames(
  check: AskedCheck,
  asked: Asked,
  video: FetchedVideo,
  frames: readonly number[],
  keepsEmpty: boolean,
) {
  const runs: { key: string; frames: { offset: number; seen: readonly Seen[] }[] }[] = [];
  let last: (typeof runs)[number] | undefined;
  for (const offset of frames) {
    const seen = filterSeen(look(video.sha256, check.op, offset), check.filters);
    const key = JSON.stringify(seen.map((one) => one.label).sort());
    if (seen.length === 0 && !keepsEmpty) {
      last = undefined;
    } else if (last?.key === key) {
      last.frames.push({ offset, seen });
    } else {
      last = { key, frames: [{ offset, seen }] };
      runs.push(last);
    }
  }
  const segments = runs.map((run) => ({
    offset_begin: run.frames[0]?.offset ?? 0,
    offset_end: run.frames.at(-1)?.offset ?? 0,
    labels: listMaxima(run.frames.flatMap((frame) => frame.seen)),
    cuts: run.frames.map(({ offset, seen }) => ({
      offset,
      ...(asked.save ? { uri: nameFrame(asked, asked.save, offset) } : {}),
      result: describeFrame(check.op, video.sha256, seen),
    })),
  }));
  return { labels: listMaxima(segments.flatMap((segment) => segment.labels)), segments };
}

/** What an op sees at a time of a file; the same whenever it looks. */
function look(sha256: string, op: EmulatedOp, offset: number): readonly Seen[] {
  const scene = `${sha256}/${op}/${Math.floor(offset / sceneMs)}`;
  const draw = (what: string, from: number, to: number) =>
    from + (to - from) * (0.8 * jitter(`${scene}/${what}`) + 0.2 * jitter(`${scene}/${what}/${offset}`));
  const chance = jitter(`${scene}/chance`);
  if (op === 'politician') {
    const count = chance < 0.5 ? 0 : chance < 0.85 ? 1 : 2;
    const start = Math.floor(jitter(`${scene}/who`) * invented.length);
    return Array.from({ length: count }, (_, index) => {
      const score = shorten(draw(`person ${index}`, 0.6, 0.95));
      return {
        label: invented[(start + index) % invented.length] ?? invented[0],
        score,
        review: score < 0.72,
      };
    });
  }
  const label = op === 'pulp' ? (chance < 0.12 ? '0' : chance < 0.3 ? '1' : '2') : chance < 0.15 ? '1' : '0';
  const isNormal = label === (op === 'pulp' ? '2' : '0');
  const score = shorten(isNormal ? draw('normal', 0.9, 1) : draw('found', 0.55, 0.99));
  return [{ label, score, review: !isNormal && score < 0.7 }];
}

/** The documented meaning of `select` and `score`, as a rule without gaps; without `select` nothing is filtered. */
function filterSeen(seen: readonly Seen[], filters: readonly Filter[]): readonly Seen[] {
  const onlyListed = filters.some((filter) => filter.select === 2);
  return seen.filter((one) => {
    const own = filters.filter((filter) => filter.label === one.label);
    const isLeftOut = own.some(
      (filter) => filter.select === 1 && (filter.score === undefined || one.score < filter.score),
    );
    const isChosen = own.some((filter) => filter.select === 2 && one.score >= (filter.score ?? 0));
    return !isLeftOut && (isChosen || !onlyListed);
  });
}

function describeFrame(op: EmulatedOp, sha256: string, seen: readonly Seen[]): unknown {
  if (op !== 'politician') {
    return seen.map(({ label, score, review }) => ({ label: Number(label), score, review }))[0] ?? {};
  }
  return {
    detections: seen.map(({ label, score, review }, index) => {
      const left = 20 + 90 * index;
      return {
        boundingBox: {
          pts: drawBox(left, 30, 60, 72),
          score: shorten(0.98 + 0.01 * jitter(`${sha256}/${index}`)),
        },
        value: { name: label, score, review },
        sample: {
          url: `http://samples.example/politician/${encodeURIComponent(label)}.jpg`,
          pts: drawBox(40, 20, 40, 60),
        },
      };
    }),
  };
}

/** Corners: top-left, top-right, bottom-right, bottom-left. */
function drawBox(left: number, top: number, width: number, height: number): readonly (readonly number[])[] {
  const [right, bottom] = [left + width, top + height];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}

function listMaxima(labels: readonly { label: string; score: number }[]): { label: string; score: number }[] {
  const scores = new Map<string, number>();
  for (const { label, score } of labels) scores.set(label, Math.max(score, scores.get(label) ?? 0));
  return [...scores].map(([label, score]) => ({ label, score }));
}

/** The form of the name is not documented, and the vendor says not to rely on it. */
function nameFrame(asked: Asked, save: { bucket: string; prefix: string }, offset: number): string {
  return `qiniu:///${save.bucket}/${save.prefix}/${asked.vid}/${offset}`;
}

/** A 32-bit float printed with 8 significant digits, as the vendor's scores are. */
function shorten(score: number): number {
  return Number(Math.fround(score).toPrecision(8));
}
