/** Part of the page's script: which items are shown, kept in the address so that a view can be handed on. */

export const filter = String.raw`
  const names = ['verdict', 'service', 'label', 'place', 'change', 'decision', 'least', 'most', 'text'];
  const fields = new Map(names.map((name) => [name, byId('by-' + name)]).filter(([, field]) => field !== null));
  const labelOf = (hit) => (hit.op === '' ? hit.name : hit.op + ' ' + hit.name);
  const meaningOf = (label) => (Object.hasOwn(settings.meanings, label) ? settings.meanings[label] : undefined);
  const withMeaning = (label) => visible(label) + (meaningOf(label) === undefined ? '' : ' ' + meaningOf(label));

  const texts = new Map();
  const searchText = (item) => {
    let text = texts.get(item);
    if (text === undefined) {
      text = [item.id, item.key, ...item.reasons, ...item.hits.map((hit) => withMeaning(labelOf(hit)))].join('\n').toLowerCase();
      texts.set(item, text);
    }
    return text;
  };

  const addOptions = (name, items, list, most) => {
    const counts = new Map();
    for (const item of items) for (const value of new Set(list(item))) counts.set(value, (counts.get(value) ?? 0) + 1);
    const sorted = [...counts].sort((a, b) => b[1] - a[1]).slice(0, most);
    const label = (value) => (name === 'label' ? withMeaning(value) : visible(value)).slice(0, 60);
    fields.get(name).append(...sorted.map(([value, found]) => make('option', { value }, label(value) + ' (' + count(found) + ')')));
    fields.get(name).disabled = sorted.length === 0;
  };

  /** Folders to choose from; any other beginning of a path may be typed. */
  const offerPlaces = (items, most) => {
    const counts = new Map();
    for (const item of items) for (const place of foldersOf(item)) counts.set(place, (counts.get(place) ?? 0) + 1);
    const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, most);
    byId('places').append(...sorted.map(([value, found]) => make('option', { value }, count(found))));
  };

  const hasChanged = {
    new: (change) => change !== undefined && change[0] === 'new',
    flip: (change) => change !== undefined && change[0] !== 'new' && change[1] !== 'review' && change[1] !== 'block',
    moved: (change) => change !== undefined && change[2] !== 0,
    same: (change) => change === undefined,
  };

  /** A test for items, or undefined where nothing is asked. */
  const readFilter = () => {
    const asked = Object.fromEntries([...fields].map(([name, field]) => [name, field.value.trim()]));
    const number = (text) => (text === undefined || text === '' || Number.isNaN(Number(text)) ? undefined : Number(text));
    const [least, most] = [number(asked.least), number(asked.most)];
    const text = asked.text.toLowerCase();
    const asksHit = asked.service !== '' || asked.label !== '' || least !== undefined || most !== undefined;
    const isHit = (hit) =>
      (asked.service === '' || hit.service === asked.service) &&
      (asked.label === '' || labelOf(hit) === asked.label) &&
      (least === undefined || hit.value >= least) && (most === undefined || hit.value <= most);
    return (item) =>
      (asked.verdict === '' || item.verdict === asked.verdict) &&
      (asked.place === '' || pathOf(item).startsWith(asked.place) || item.key.startsWith(asked.place)) &&
      (!asked.change || hasChanged[asked.change](item.change)) &&
      (!asked.decision || (item.decision === undefined ? 'none' : item.decision[0]) === asked.decision) &&
      (!asksHit || item.hits.some(isHit)) &&
      (text === '' || searchText(item).includes(text));
  };

  const keepInAddress = () => {
    const asked = new URLSearchParams();
    for (const [name, field] of fields) if (field.value.trim() !== '') asked.set(name, field.value.trim());
    const hash = asked.size === 0 ? '' : '#' + asked;
    if (hash !== '' || location.hash.includes('=')) history.replaceState(null, '', hash || location.pathname + location.search);
  };
  const takeFromAddress = () => {
    if (!location.hash.includes('=')) return;
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      const field = fields.get(name);
      if (field === undefined) continue;
      field.value = value;
      if (field.selectedIndex === -1) field.value = '';
    }
  };
`;
