/** Part of the page's script: the list, its pages, and what starts it all. */

export const list = String.raw`
  const pageSize = 50;
  /** On paper: more of them would be a book. */
  const mostPrinted = 1000;
  const start = async () => {
    const [list, found] = [byId('items'), byId('found')];
    if (list === null) return;
    // Without a script they would be of no use.
    byId('filters').hidden = found.hidden = false;
    let items;
    try {
      items = await unpackItems();
    } catch {
      found.textContent = say('list.cannotUnpack');
      return;
    }
    let [shown, page, size] = [items, 0, pageSize];

    const turn = (to) => {
      page = to;
      render();
      found.scrollIntoView();
    };
    const [back, on, where] = [
      act(say('list.previous'), say('list.previousPage'), () => turn(page - 1)),
      act(say('list.next'), say('list.nextPage'), () => turn(page + 1)),
      make('span', {}),
    ];
    byId('pages').append(back, where, on);

    const render = () => {
      const pages = Math.max(1, Math.ceil(shown.length / size));
      const first = page * size;
      const part = shown.slice(first, first + size);
      list.replaceChildren(...part.map(renderItem));
      list.setAttribute('start', String(first + 1));
      list.removeAttribute('aria-busy');
      const range = part.length === 0 ? say('list.nothing') : say('list.range', { first: first + 1, last: first + part.length, all: shown.length });
      found.textContent = range + (shown.length === items.length ? '' : say('list.filtered', { all: items.length }));
      byId('export').disabled = shown.length === 0;
      byId('pages').hidden = pages === 1;
      where.textContent = say('list.page', { page: page + 1, pages });
      // A button that loses its use while it has the focus hands it to the other one.
      const hasFocus = document.activeElement;
      back.disabled = page === 0;
      on.disabled = page === pages - 1;
      if (hasFocus === on && on.disabled) back.focus({ preventScroll: true });
      if (hasFocus === back && back.disabled) on.focus({ preventScroll: true });
    };
    const filter = () => {
      shown = items.filter(readFilter());
      page = 0;
      render();
    };

    addOptions('service', items, (item) => item.hits.map((hit) => hit.service), 100);
    addOptions('label', items, (item) => item.hits.map(labelOf), 300);
    offerPlaces(items, 300);
    for (const field of fields.values()) {
      field.addEventListener('input', () => {
        filter();
        keepInAddress();
      });
    }
    byId('filters').addEventListener('submit', (event) => event.preventDefault());
    byId('clear').addEventListener('click', () => {
      for (const field of fields.values()) field.value = '';
      filter();
      keepInAddress();
    });
    byId('export').addEventListener('click', () => exportRows(shown));
    takeFromAddress();
    filter();
    // Paper has all that the filters left, and what stands behind a click beside the list.
    const folded = [...document.querySelectorAll('section > details, .cause details')];
    let before;
    addEventListener('beforeprint', () => {
      if (before) return;
      before = { page, open: folded.filter((one) => one.open) };
      for (const one of folded) one.open = true;
      if (shown.length <= pageSize) return;
      [page, size] = [0, mostPrinted];
      render();
    });
    addEventListener('afterprint', () => {
      if (!before) return;
      for (const one of folded) one.open = before.open.includes(one);
      if (size !== pageSize) {
        [page, size] = [before.page, pageSize];
        render();
      }
      before = undefined;
    });
    // Somebody put another view into the address of the open page.
    addEventListener('hashchange', () => {
      if (!location.hash.includes('=')) return;
      for (const field of fields.values()) field.value = '';
      takeFromAddress();
      filter();
    });
  };
  void start();
`;
