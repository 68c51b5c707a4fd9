import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMoney, formatNano, parseMoney, parseNano } from '../../src/domain/money.ts';

describe('money as text', () => {
  it.each([
    ['0', 0n],
    ['0.0046', 4_600_000n],
    ['7550', 7_550_000_000_000n],
    [' 1.5 ', 1_500_000_000n],
    ['0.000000001', 1n],
    ['0.1000000000000', 100_000_000n],
    ['007', 7_000_000_000n],
    ['900719925474099301', 900_719_925_474_099_301_000_000_000n],
  ])('reads %s exactly', (text, amount) => {
    expect(parseNano(text)).toBe(amount);
  });

  it.each([
    '',
    '-1',
    '+1',
    '1e3',
    '.5',
    '5.',
    '1,000',
    '0.0000000001',
    'free',
    '1 2',
    '٣',
    '0x10',
    '1'.repeat(99),
  ])('takes %j for no amount', (text) => {
    expect(parseNano(text)).toBeUndefined();
  });

  it('writes what it read, for every amount', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 27n }), (amount) => {
        expect(parseNano(formatNano(amount))).toBe(amount);
      }),
    );
  });

  it.each([
    [0n, '0'],
    [4_600_000n, '0.0046'],
    [7_550_000_000_000n, '7550'],
    [1n, '0.000000001'],
    [-1_500_000_000n, '-1.5'],
  ])('writes %d nanos as %s', (amount, text) => {
    expect(formatNano(amount)).toBe(text);
  });

  it.each([
    ['500 CNY', { amount: 500_000_000_000n, currency: 'CNY' }],
    ['500CNY', { amount: 500_000_000_000n, currency: 'CNY' }],
    ['  0.10  CNY ', { amount: 100_000_000n, currency: 'CNY' }],
    ['0.1', { amount: 100_000_000n }],
  ])('reads money %j with its currency, if it has one', (text, money) => {
    expect(parseMoney(text)).toEqual(money);
  });

  it.each([
    'CNY',
    '500 cny',
    '500 YUAN',
    'CNY 500',
    '-5 CNY',
    '1.2.3 CNY',
    '1,000 CNY',
    '500 CNY!',
    '',
  ])('takes %j for no money', (text) => {
    expect(parseMoney(text)).toBeUndefined();
  });

  it.each([
    ['2131.4', '2,131.40 CNY'],
    ['0.0046', '0.0046 CNY'],
    ['0.00155', '0.0016 CNY'],
    ['0', '0.00 CNY'],
    ['0.99994', '0.9999 CNY'],
    ['0.99995', '1.00 CNY'],
    ['1', '1.00 CNY'],
    ['1.005', '1.01 CNY'],
    ['999.995', '1,000.00 CNY'],
    ['1234567.891', '1,234,567.89 CNY'],
    ['0.00001', '0.0000 CNY'],
  ])('shows %s to people as %s', (text, shown) => {
    expect(formatMoney(parseNano(text) ?? -1n, 'CNY')).toBe(shown);
  });

  it('shows a correction with its sign, and no sign before a zero', () => {
    expect(formatMoney(-1_234_500_000_000n, 'USD')).toBe('-1,234.50 USD');
    expect(formatMoney(-1n, 'USD')).toBe('0.0000 USD');
  });
});
