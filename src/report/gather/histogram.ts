/** Histograms in one pass and bounded memory: scores in fixed bins, measures of unknown range in bins that widen. */

export interface Bar {
  /** Inclusive. */
  readonly from: number;
  /** Exclusive but for the last bar. */
  readonly to: number;
  readonly count: number;
}

export interface Histogram {
  readonly add: (value: number) => void;
  readonly count: () => number;
  /** Adjacent bars of one width, empty ones between others included; none where nothing was added. */
  readonly bars: () => readonly Bar[];
}

const scoreBins = 20;

/** For scores from 0 to 1; what lies outside counts at the border. */
export function makeScoreHistogram(): Histogram {
  const bins = Array.from({ length: scoreBins }, () => 0);
  let count = 0;
  return {
    add(value) {
      if (!Number.isFinite(value)) return;
      const index = Math.min(scoreBins - 1, Math.max(0, Math.floor(value * scoreBins + 1e-9)));
      bins[index] = (bins[index] ?? 0) + 1;
      count += 1;
    },
    count: () => count,
    bars: () =>
      count === 0
        ? []
        : bins.map((found, index) => ({
            from: index / scoreBins,
            to: (index + 1) / scoreBins,
            count: found,
          })),
  };
}

const mostBars = 32;
const finestWidth = 2 ** -10;
/** Beyond this the finest bins could no longer be told apart; no service measures such numbers. */
const largest = 1e12;

/**
 * For numbers of any range. The width of a bin is a power of two and doubles until all values seen fit into 32 adjacent
 * bins, so that the result does not depend on the order of the values.
 */
export function makeMeasureHistogram(): Histogram {
  let width = finestWidth;
  let bins = new Map<number, number>();
  let [low, high, count] = [0, 0, 0];

  const findPlace = (finest: number) => Math.floor(finest / (width / finestWidth));

  const widen = () => {
    width *= 2;
    [low, high] = [Math.floor(low / 2), Math.floor(high / 2)];
    const wider = new Map<number, number>();
    for (const [index, found] of bins) {
      const half = Math.floor(index / 2);
      wider.set(half, (wider.get(half) ?? 0) + found);
    }
    bins = wider;
  };

  return {
    add(value) {
      if (!(Math.abs(value) <= largest)) return;
      // By way of the finest bin, so that a value rounds the same way whenever it comes; + 0 makes -0 a 0.
      const finest = Math.floor(value / finestWidth) + 0;
      let place = findPlace(finest);
      if (count === 0) [low, high] = [place, place];
      while (Math.max(high, place) - Math.min(low, place) >= mostBars) {
        widen();
        place = findPlace(finest);
      }
      low = Math.min(low, place);
      high = Math.max(high, place);
      bins.set(place, (bins.get(place) ?? 0) + 1);
      count += 1;
    },
    count: () => count,
    bars() {
      if (count === 0) return [];
      return Array.from({ length: high - low + 1 }, (_, offset) => {
        const index = low + offset;
        return { from: index * width, to: (index + 1) * width, count: bins.get(index) ?? 0 };
      });
    },
  };
}
