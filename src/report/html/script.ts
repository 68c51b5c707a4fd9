/**
 * The page's own script, as text so that it also lies in the compiled program. It fills the list of flagged items from
 * the data block. Text reaches the document as text nodes and attributes only, never as markup.
 */

export const script = String.raw`'use strict';
(() => {
  const byId = (id) => document.getElementById(id);
  const list = byId('items');
  if (!list) return;
  const { settings, items } = JSON.parse(byId('data').textContent);
  const pageSize = 50;
  const scales = new Map(settings.scales.map(([service, name, low, high]) => [service + '\n' + name, [low, high]]));
  const fields = { verdict: byId('by-verdict'), service: byId('by-service'), label: byId('by-label'), text: byId('by-text') };
  let shown = items;
  let page = 0;

  // --- making elements -------------------------------------------------------------------------------------------
  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
    node.append(...children.filter((child) => child !== undefined));
    return node;
  };
  const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes, ...children) =>
    fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
  const act = (text, label, action) => {
    const button = make('button', { type: 'button', class: 'small', 'aria-label': label }, text);
    button.addEventListener('click', () => action(button));
    return button;
  };

  // --- words -----------------------------------------------------------------------------------------------------
  const visible = (text) =>
    text.replace(/[\p{Cc}\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/gu, (one) => {
      const code = one.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : '<U+' + code.toString(16).toUpperCase().padStart(4, '0') + '>';
    });
  const count = (number) => number.toLocaleString('en-US');
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

  // --- filters ---------------------------------------------------------------------------------------------------
  const texts = new Map();
  const searchText = (item) => {
    if (!texts.has(item)) {
      const names = item.hits.map((hit) => hit[2] + ' ' + hit[3]);
      texts.set(item, [item.id, item.bucket ?? '', item.key, ...item.reasons, ...names].join('\n').toLowerCase());
    }
    return texts.get(item);
  };
  const addOptions = (select, read, most) => {
    const counts = new Map();
    for (const item of items) {
      for (const value of new Set(item.hits.map(read))) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const sorted = [...counts].sort((a, b) => b[1] - a[1]).slice(0, most);
    for (const [value, found] of sorted) {
      select.append(make('option', { value }, visible(value).slice(0, 60) + ' (' + count(found) + ')'));
    }
  };
  const filter = () => {
    const { verdict, service, label } = { verdict: fields.verdict.value, service: fields.service.value, label: fields.label.value };
    const text = fields.text.value.trim().toLowerCase();
    const isHit = (hit) => (service === '' || hit[1] === service) && (label === '' || hit[3] === label);
    shown = items.filter((item) =>
      (verdict === '' || item.verdict === verdict) &&
      ((service === '' && label === '') || item.hits.some(isHit)) &&
      (text === '' || searchText(item).includes(text)));
    page = 0;
    render();
  };

  // --- one item --------------------------------------------------------------------------------------------------
  let copied;
  const copy = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make('textarea', { 'aria-hidden': 'true' });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
      button.focus();
    }
    if (copied) copied.textContent = 'copy';
    copied = button;
    button.textContent = 'copied';
  };

  const scaleOf = (hit, rule) => {
    if (!hit[4]) return [0, 1];
    const [low, high] = scales.get(hit[1] + '\n' + hit[3]) ?? [0, 0];
    const asked = rule.is && typeof rule.is.value === 'number' ? rule.is.value : hit[5];
    return [Math.min(low, asked, hit[5]), Math.max(high, asked, hit[5])];
  };
  const renderBar = (hit, rule) => {
    const asked = hit[4] ? rule.is : rule.score;
    const rest = asked ? ', rule ' + asked.comparator + ' ' + asked.value : '';
    const [low, high] = scaleOf(hit, rule);
    if (typeof hit[5] !== 'number' || !(high > low)) return make('span', {});
    const x = (value) => Math.max(0, Math.min(128, ((value - low) / (high - low)) * 128));
    return draw('svg', { viewBox: '0 0 128 12', preserveAspectRatio: 'none', role: 'img', 'aria-label': number(hit[5]) + rest },
      draw('title', {}, number(hit[5]) + rest),
      draw('rect', { class: 'track', width: 128, height: 6, y: 3, rx: 2 }),
      draw('rect', { class: 'level ' + rule.verdict, width: x(hit[5]), height: 6, y: 3, rx: 2 }),
      asked && typeof asked.value === 'number'
        ? draw('line', { class: 'mark', x1: x(asked.value), x2: x(asked.value), y1: 0, y2: 12 })
        : undefined);
  };
  const renderHit = (hit) => {
    const rule = settings.rules[hit[0]];
    return make('li', { title: rule.reason },
      make('span', {},
        hit[2] === '' ? undefined : make('span', { class: 'op' }, visible(hit[2]) + ' '),
        make('bdi', { class: 'name' }, visible(hit[3])),
        make('span', { class: 'op service' }, ' ' + visible(hit[1]))),
      renderBar(hit, rule),
      make('span', { class: 'value' }, number(hit[5])));
  };

  /** Puts the player in and goes to the moment; nothing is loaded before this. */
  const play = (item, place, ms) => {
    const isVideo = item.kind !== 'image';
    if (place.firstChild === null) {
      const media = make(isVideo ? 'video' : 'img', { src: item.link, alt: isVideo ? undefined : '' });
      if (isVideo) { media.controls = true; media.preload = 'metadata'; }
      place.append(media);
    }
    if (isVideo && ms !== undefined) place.firstChild.currentTime = ms / 1000;
    place.scrollIntoView({ block: 'nearest' });
  };

  const renderTimeline = (item, place) => {
    const blocks = item.blocks;
    if (!blocks || blocks.length === 0) return undefined;
    const length = Math.max(item.lengthMs ?? 0, 1, ...blocks.map((block) => block[3]));
    const names = [...new Set(blocks.map((block) => block[0] + '\n' + block[1]))];
    const [tallest, width] = [16, 1000];
    const x = (ms) => (ms / length) * width;
    const words = (block) =>
      block[0] + ' ' + visible(block[1]) + ' ' + number(block[4]) + ', ' + time(block[2]) + ' to ' + time(block[3]) + (block[5] ? ', needs review' : '');
    const makePiece = (block) => {
      const tall = Math.max(3, Math.min(1, block[4]) * tallest);
      const piece = draw('rect', {
        class: 'piece c' + (names.indexOf(block[0] + '\n' + block[1]) % 6),
        x: Math.min(x(block[2]), width - 5), y: tallest - tall, width: Math.max(5, x(block[3]) - x(block[2])), height: tall,
      }, draw('title', {}, words(block)));
      if (item.link !== undefined) piece.addEventListener('click', () => play(item, place, block[2]));
      return piece;
    };
    // One lane for each label, since segments of one op may overlap.
    const lanes = names.slice(0, 8).map((name) => {
      const own = blocks.filter((block) => block[0] + '\n' + block[1] === name);
      const title = visible(name.split('\n').join(' '));
      const label = title + ': ' + own.length + (own.length === 1 ? ' segment' : ' segments') + ' in ' + time(length);
      return make('div', { class: 'lane' },
        make('span', { class: 'op', title }, make('bdi', {}, title)),
        draw('svg', { viewBox: '0 0 ' + width + ' ' + tallest, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
          draw('rect', { class: 'track', width, height: tallest }), ...own.map(makePiece)));
    });
    const axis = make('div', { class: 'lane ends' }, make('span', {}), make('span', {}, make('span', {}, '0:00'), make('span', {}, time(length))));
    const legend = names.length > 8 ? [make('span', {}, 'of ' + names.length + ' labels')] : [];
    const moments = make('details', {}, make('summary', { class: 'legend' },
      make('span', { class: 'many' }, count(blocks.length) + (blocks.length === 1 ? ' segment' : ' segments')), ...legend));
    moments.addEventListener('toggle', () => {
      if (moments.childElementCount > 1) return;
      moments.append(make('ul', { class: 'moments' }, ...blocks.map((block) => make('li', {},
        item.link === undefined ? time(block[2]) : act(time(block[2]), 'Play from ' + time(block[2]), () => play(item, place, block[2])),
        ' ', make('bdi', {}, visible(block[1])), ' ', number(block[4]),
        make('span', { class: 'op' }, ' ' + block[0] + (block[5] ? ', needs review' : ''))))));
    });
    return make('div', { class: 'timeline' },
      ...lanes, axis, moments);
  };

  const renderItem = (item) => {
    const place = make('div', { class: 'media' });
    const noun = item.kind === 'image' ? 'image' : 'video';
    const facts = [
      item.bucket, item.kind, item.size === undefined ? undefined : size(item.size),
      item.lengthMs === undefined ? undefined : time(item.lengthMs),
      item.status === 'answered' || item.status === 'reused' ? undefined : item.status,
    ].filter((text) => text !== undefined).map((text) => make('span', {}, visible(text)));
    return make('li', {},
      make('div', {}, make('span', { class: 'chip ' + item.verdict }, item.verdict)),
      make('div', { class: 'where' },
        make('bdi', { class: 'key' }, visible(item.key)), ' ',
        act('copy', 'Copy the key ' + visible(item.key), (button) => void copy(item.key, button)),
        item.link === undefined ? undefined : ' ',
        item.link === undefined ? undefined : act('show', 'Load the ' + noun + ' ' + visible(item.key), () => play(item, place)),
        make('div', { class: 'facts' }, ...facts), renderTimeline(item, place), place),
      make('div', {},
        make('ul', { class: 'hits' }, ...item.hits.map(renderHit)),
        make('p', { class: 'reasons' }, visible(item.reasons.join('; ')) + (item.moreHits > 0 ? ' (' + count(item.moreHits) + ' more matches)' : ''))));
  };

  // --- the list --------------------------------------------------------------------------------------------------
  const turn = (to) => {
    page = to;
    render();
    byId('flagged').scrollIntoView();
  };
  const render = () => {
    const pages = Math.max(1, Math.ceil(shown.length / pageSize));
    const first = page * pageSize;
    const part = shown.slice(first, first + pageSize);
    list.replaceChildren(...part.map(renderItem));
    list.setAttribute('start', String(first + 1));
    const range = part.length === 0 ? 'Nothing matches' : count(first + 1) + ' to ' + count(first + part.length) + ' of ' + count(shown.length);
    byId('found').textContent = range + (shown.length === items.length ? '' : ', filtered from ' + count(items.length));
    byId('export').disabled = shown.length === 0;
    const back = act('previous', 'Previous page', () => turn(page - 1));
    const on = act('next', 'Next page', () => turn(page + 1));
    back.disabled = page === 0;
    on.disabled = page === pages - 1;
    byId('pages').replaceChildren(...(pages === 1 ? [] : [back, make('span', {}, 'page ' + count(page + 1) + ' of ' + count(pages)), on]));
  };

  // --- export ----------------------------------------------------------------------------------------------------
  const formula = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/u;
  const cell = (value) => {
    if (value === undefined || value === null) return '';
    if (typeof value === 'number') return String(value);
    const text = settings.isGuarded && formula.test(value) ? "'" + value : value;
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  let exported;
  const exportRows = () => {
    const head = ['item', 'bucket', 'key', 'kind', 'verdict', 'reasons', 'status', 'service', 'op', 'label', 'value'];
    const rows = shown.map((item) => {
      const [hit] = item.hits;
      return [item.id, item.bucket, item.key, item.kind, item.verdict, item.reasons.join('; '), item.status, ...(hit ? [hit[1], hit[2], hit[3], hit[5]] : ['', '', '', ''])];
    });
    const text = (settings.isGuarded ? '\uFEFF' : '') + [head, ...rows].map((row) => row.map(cell).join(',') + '\r\n').join('');
    if (exported !== undefined) URL.revokeObjectURL(exported);
    exported = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
    make('a', { href: exported, download: settings.run + '-flagged.csv' }).click();
  };

  addOptions(fields.service, (hit) => hit[1], 100);
  addOptions(fields.label, (hit) => hit[3], 300);
  for (const field of Object.values(fields)) field.addEventListener('input', filter);
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('clear').addEventListener('click', () => {
    for (const field of Object.values(fields)) field.value = '';
    filter();
  });
  byId('export').addEventListener('click', exportRows);
  render();
})();
`;
