/** Part of the page's script: one flagged item, with the evidence against it. */

export const item = String.raw`
  const scales = new Map(settings.scales.map(([service, name, low, high]) => [service + '\n' + name, [low, high]]));
  const askedOf = (hit) => (hit.isMetric ? hit.rule.is : hit.rule.score);
  const barWidth = 128;

  /** Matches of one label or metric, whatever the rules: one bar with every threshold. */
  const groupHits = (hits) => {
    const groups = new Map();
    for (const hit of hits) {
      const key = JSON.stringify([hit.service, hit.op, hit.name]);
      groups.set(key, [...(groups.get(key) ?? []), hit]);
    }
    return [...groups.values()];
  };

  const renderBar = ([hit, ...more]) => {
    if (typeof hit.value !== 'number') return make('span', {});
    const asked = [hit, ...more].map(askedOf).filter((one) => one !== undefined && typeof one.value === 'number');
    const bounds = hit.isMetric ? (scales.get(hit.service + '\n' + hit.name) ?? []) : [0, 1];
    const values = [...bounds, ...asked.map((one) => one.value), hit.value];
    const [low, high] = [Math.min(...values), Math.max(...values)];
    if (!(high > low)) return make('span', {});
    const x = (value) => ((value - low) / (high - low)) * barWidth;
    const label = [number(hit.value), ...asked.map((one) => say('list.rule', { asked: one.comparator + ' ' + one.value }))].join(', ');
    return draw('svg', { viewBox: '0 0 ' + barWidth + ' 12', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      draw('title', {}, label),
      draw('rect', { class: 'track', width: barWidth, height: 6, y: 3 }),
      draw('rect', { class: 'level ' + hit.rule.verdict, width: Math.max(1, x(hit.value)), height: 6, y: 3 }),
      ...asked.map((one) => draw('line', { class: 'mark', x1: x(one.value), x2: x(one.value), y1: 0, y2: 12 })));
  };
  const renderHits = (hits) => {
    const [hit] = hits;
    const meaning = hit.isMetric ? undefined : meaningOf(labelOf(hit));
    return make('li', {},
      make('span', { class: 'what' },
        hit.op === '' ? undefined : make('span', { class: 'op' }, visible(hit.op) + ' '),
        make('bdi', { class: 'name' }, visible(hit.name)),
        meaning === undefined ? undefined : ' ' + meaning,
        make('span', { class: 'op service' }, ' ' + visible(hit.service))),
      renderBar(hits),
      make('span', { class: 'value' }, number(hit.value)));
  };

  const renderChange = ([is, before, movement]) => {
    const parts = [];
    if (is === 'new') parts.push(make('span', { class: 'chip fresh' }, say('list.new')));
    if (is === 'changed') parts.push(make('span', { class: 'chip' }, say('list.changed')));
    if (before !== '') parts.push(make('span', { class: 'chip' }, say('list.was', { verdict: say('verdict.' + before) })));
    if (movement !== 0) {
      const [op, name, from, to] = movement;
      parts.push(make('span', {}, withMeaning((op + ' ' + name).trim()) + ': ' + number(from) + ' → ' + number(to)));
    }
    return parts;
  };

  const instants = new Intl.DateTimeFormat('sv-SE', { timeZone: settings.timezone, dateStyle: 'short', timeStyle: 'short' });
  const renderDecision = ([verdict, by, at, comment]) =>
    make('p', { class: 'decision' }, make('span', { class: 'chip ' + verdict }, say('list.decided', { verdict: say('verdict.' + verdict) })), ' ',
      make('bdi', {}, visible(by)), ' ' + instants.format(new Date(at)), comment === '' ? undefined : make('q', {}, ' ' + visible(comment)));

  const renderFacts = (item) => {
    const shown = [
      item.bucket, item.kind === undefined ? undefined : say('kind.' + item.kind),
      item.size === undefined ? undefined : size(item.size),
      item.lengthMs === undefined ? undefined : time(item.lengthMs),
      item.status === 'answered' || item.status === 'reused' || item.status === '' ? undefined : say('status.' + item.status),
    ];
    const facts = shown.filter((text) => text !== undefined).map((text) => make('span', {}, visible(text)));
    return make('div', { class: 'facts' }, ...facts, ...(item.change === undefined ? [] : renderChange(item.change)));
  };

  const renderItem = (item) => {
    const place = make('div', { class: 'media' });
    const name = visible(item.key);
    const media = item.link === undefined ? [] : [' ', act(say('list.show'), say('list.load', { name }), () => play(item, place))];
    const more = item.moreHits > 0 ? say('list.moreHits', { count: item.moreHits }) : '';
    return make('li', {},
      make('div', {}, make('span', { class: 'chip ' + item.verdict }, say('verdict.' + item.verdict))),
      make('div', { class: 'where' },
        make('bdi', { class: 'key' }, name), ' ',
        act(say('word.copy'), say('list.copyKey', { name }), (button) => void copy(item.key, button)),
        ...media, renderFacts(item), item.decision && renderDecision(item.decision), renderTimeline(item, place), place),
      make('div', { class: 'why' },
        make('ul', { class: 'hits' }, ...groupHits(item.hits).map(renderHits)),
        make('p', { class: 'reasons' }, visible(item.reasons.join('; ')) + more)));
  };
`;
