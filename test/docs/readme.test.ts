/** The two READMEs say the same: what can be compared without reading either language is compared. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const [english, chinese] = [read('README.md'), read('README.zh-CN.md')];

const list = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

describe('README.zh-CN.md', () => {
  test('has the sections of README.md', () => {
    const levels = (text: string) => list(text, /^(#+) /gm);
    expect(levels(chinese)).toEqual(levels(english));
  });

  test('has its commands and files, word by word', () => {
    const blocks = (text: string) =>
      list(text, /```\w*\n([\s\S]*?)```/g).map((block) => block.replace(/^ +/gm, ''));
    expect(blocks(chinese)).toEqual(blocks(english));
  });

  test('has its table of commands', () => {
    const commands = (text: string) =>
      list(text, /^\| (`[^|]*(?:\\\|[^|]*)*) \|/gm).map((cell) => cell.split(/[,、]/)[0]);
    expect(commands(english).length).toBeGreaterThan(10);
    expect(commands(chinese)).toEqual(commands(english));
  });

  test.each([
    ['README.md', english],
    ['README.zh-CN.md', chinese],
  ])('leads to the same pages as README.md, and they are there: %s', (_, text) => {
    const links = (of: string) =>
      [...new Set(list(of, /\]\((?!https?:)([^)#]+)/g))].filter((to) => !to.startsWith('README')).sort();
    expect(links(text)).toEqual(links(english));
    expect(links(text).filter((to) => !existsSync(join(root, to)))).toEqual([]);
  });

  test('names the figures of README.md', () => {
    const figures = (text: string) => list(text, /(\d+(?:[.,]\d+)*)/g).sort();
    expect(figures(chinese)).toEqual(figures(english));
  });
});
