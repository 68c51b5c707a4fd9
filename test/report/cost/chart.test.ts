/** Bars of the page of costs: how long they are. */
import { expect, test } from 'vitest';
import { renderBars, renderColumns } from '../../../src/report/cost/chart.ts';

const bars = [
  { name: 'a', value: 10n, more: 40n, words: '10' },
  { name: 'b', value: 5n, more: 0n, words: '5' },
];

test('lying bars are as long as what was spent, the longest as long as the chart', () => {
  const widths = [...renderBars('', bars).markup.matchAll(/class="bar"[^>]* width="([\d.]+)"/g)];
  expect(widths.map(([, width]) => width)).toEqual(['200', '100']);
});

test('upright bars carry what is only expected', () => {
  const { markup } = renderColumns('', bars);
  const read = (name: string) =>
    [...markup.matchAll(new RegExp(`class="${name}"[^>]* height="([\\d.]+)"`, 'g'))].map(
      ([, height]) => height,
    );
  expect([read('bar'), read('track')]).toEqual([
    ['24', '12'],
    ['96', '0'],
  ]);
});
