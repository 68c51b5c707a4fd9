/** Part of the page's script: the segments of a video over its length, and the player, which loads nothing before a click. */

export const timeline = String.raw`
  /** Puts the player in and goes to the moment. */
  const play = (item, place, ms) => {
    const isVideo = item.kind !== 'image';
    const [source] = item.link.split('#');
    if (place.firstChild === null) {
      const moment = isVideo && ms !== undefined ? '#t=' + ms / 1000 : '';
      const name = visible(item.key);
      const media = make(isVideo ? 'video' : 'img', { src: source + moment, alt: isVideo ? undefined : name, 'aria-label': isVideo ? name : undefined });
      if (isVideo) { media.controls = true; media.preload = 'metadata'; }
      place.append(media);
    }
    if (isVideo && ms !== undefined) place.firstChild.currentTime = ms / 1000;
    place.scrollIntoView({ block: 'nearest' });
  };

  const [laneHeight, laneWidth, mostLanes] = [16, 1000, 8];
  const nameOf = (block) => (block[0] + ' ' + block[1]).trim();

  const describeBlock = (block) =>
    withMeaning(nameOf(block)) + ' ' + number(block[4]) + ', ' + time(block[2]) + '–' + time(block[3]) + (block[5] ? ', ' + say('list.needsReview') : '');

  /** One lane for each label, since segments of one op may overlap. */
  const renderLane = (name, index, item, length, place) => {
    const x = (ms) => (ms / length) * laneWidth;
    const own = item.blocks.filter((block) => nameOf(block) === name);
    const pieces = own.map((block) => {
      const tall = Math.max(3, Math.min(1, block[4]) * laneHeight);
      const piece = draw('rect', {
        class: 'piece c' + (index % 6) + (item.link === undefined ? '' : ' playable'),
        x: Math.min(x(block[2]), laneWidth - 5), y: laneHeight - tall, width: Math.max(5, x(block[3]) - x(block[2])), height: tall,
      }, draw('title', {}, describeBlock(block)));
      if (item.link !== undefined) piece.addEventListener('click', () => play(item, place, block[2]));
      return piece;
    });
    const title = withMeaning(name);
    const label = say('list.lane', { count: own.length, name: title, length: time(length) });
    return make('div', { class: 'lane' },
      make('span', { class: 'op', title }, make('bdi', {}, title)),
      draw('svg', { viewBox: '0 0 ' + laneWidth + ' ' + laneHeight, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
        draw('rect', { class: 'track', width: laneWidth, height: laneHeight }), ...pieces));
  };

  const renderMoment = (block, item, place) =>
    make('li', {},
      item.link === undefined
        ? time(block[2])
        : act(time(block[2]), say('list.playFrom', { time: time(block[2]) }), () => play(item, place, block[2])),
      ' ', make('bdi', {}, withMeaning(nameOf(block))), ' ' + number(block[4]),
      block[5] ? make('span', { class: 'op' }, ' ' + say('list.needsReview')) : undefined);

  /** Labels that matched a rule, the highest first; the other ones, and every moment, stand behind a click. */
  const renderTimeline = (item, place) => {
    const { blocks } = item;
    if (blocks.length === 0) return undefined;
    const length = Math.max(item.lengthMs ?? 0, 1, ...blocks.map((block) => block[3]));
    const highest = new Map();
    for (const block of blocks) highest.set(nameOf(block), Math.max(highest.get(nameOf(block)) ?? 0, block[4]));
    const matched = new Set(item.hits.filter((hit) => !hit.isMetric).map(labelOf));
    const isMatched = (name) => Number(matched.has(name));
    const names = [...highest.keys()].sort((a, b) => isMatched(b) - isMatched(a) || highest.get(b) - highest.get(a));
    const shown = Math.min(mostLanes, names.filter(isMatched).length || 1);
    const lanes = names.slice(0, mostLanes).map((name, index) => () => renderLane(name, index, item, length, place));
    const axis = make('div', { class: 'lane ends', 'aria-hidden': 'true' }, make('span', {}),
      make('span', {}, make('span', {}, '0:00'), make('span', {}, time(length / 2)), make('span', {}, time(length))));
    const held = blocks.length === item.segments
      ? say('list.segments', { count: blocks.length })
      : say('list.highestSegments', { held: blocks.length, count: item.segments });
    const moments = make('details', {}, make('summary', {}, held + say('list.ofLabels', { count: names.length })));
    moments.addEventListener('toggle', () => {
      if (moments.childElementCount > 1) return;
      moments.append(...lanes.slice(shown).map((lane) => lane()),
        make('ul', { class: 'moments' }, ...blocks.map((block) => renderMoment(block, item, place))));
    });
    return make('div', { class: 'timeline' }, ...lanes.slice(0, shown).map((lane) => lane()), axis, moments);
  };
`;
