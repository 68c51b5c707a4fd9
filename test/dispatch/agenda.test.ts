import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Agenda } from '../../src/dispatch/agenda.ts';

test('the agenda gives out what is due, earliest first, equal times in order of arrival', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const agenda = new Agenda<{ at: number; order: number }>();
      for (const [order, at] of times.entries()) agenda.add(at, { at, order });
      const expected = times
        .map((at, order) => ({ at, order }))
        .toSorted((a, b) => a.at - b.at || a.order - b.order);
      const taken = [];
      for (let work = agenda.takeDue(20); work; work = agenda.takeDue(20)) taken.push(work);
      expect(taken).toEqual(expected);
    }),
  );
});

test('the agenda keeps what is not due yet and says when it will be', () => {
  const agenda = new Agenda<string>();
  agenda.add(50, 'later');
  agenda.add(10, 'sooner');
  expect(agenda.nextAtMs).toBe(10);
  expect(agenda.takeDue(9)).toBeUndefined();
  expect(agenda.takeDue(10)).toBe('sooner');
  expect(agenda.takeDue(10)).toBeUndefined();
  expect(agenda.size).toBe(1);
});
