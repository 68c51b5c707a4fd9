/** Part of the page's script: messages, and numbers, times and names as people read them. */

export const word = String.raw`
  const say = (key, filling = {}) => {
    const [one, many] = settings.texts[key].split(' || ');
    const text = many === undefined || filling.count === 1 ? one : many;
    return text.replace(/\{(\w+)\}/g, (_, name) => {
      const part = filling[name];
      return typeof part === 'number' ? count(part) : String(part ?? '');
    });
  };
  const visible = (text) =>
    text.replace(/[\p{Cc}\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/gu, (one) => {
      const code = one.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : '<U+' + code.toString(16).toUpperCase().padStart(4, '0') + '>';
    });
  const numbers = new Intl.NumberFormat('en-US');
  const count = (number) => numbers.format(number);
  const number = (value) => (typeof value === 'number' ? String(Number(value.toPrecision(4))) : visible(value));
  const time = (ms) => {
    const tenths = Math.round(ms / 100);
    const seconds = (tenths % 600) / 10;
    const minutes = Math.floor(tenths / 600);
    const rest = (seconds < 10 ? '0' : '') + seconds.toFixed(1);
    return minutes < 60 ? minutes + ':' + rest : Math.floor(minutes / 60) + ':' + String(minutes % 60).padStart(2, '0') + ':' + rest;
  };
  const size = (bytes) => {
    const units = ['B', 'KB', 'MB', 'GB', 'TB'];
    let unit = 0;
    while (bytes >= 1000 && unit < 4) { bytes /= 1000; unit += 1; }
    return (unit > 0 && bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)) + ' ' + units[unit];
  };
`;
