/** Part of the page's script: the filtered items as CSV, guarded as the tables beside the page are. */

export const exporting = String.raw`
  const formula = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/u;
  const inside = /([;\t\r\n][\s\p{Cc}\p{Cf}]{0,9})(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/gu;
  const guard = (value) => (formula.test(value) ? "'" : '') + value.replace(inside, "$1'");
  const cell = (value) => {
    if (value === undefined || value === null) return '';
    if (typeof value === 'number') return String(value);
    const text = settings.isGuarded ? guard(value) : value;
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  const head = ['item', 'bucket', 'key', 'kind', 'size_bytes', 'verdict', 'reasons', 'status', 'service', 'op', 'label', 'score', 'all_labels', 'decision', 'decided_by', 'comment'];
  const makeRow = (item) => {
    const [hit] = item.hits;
    const all = groupHits(item.hits).map(([one]) => labelOf(one) + ' ' + number(one.value)).join('; ');
    const worst = hit === undefined ? [] : [hit.service, hit.op, hit.name, hit.value];
    return [item.id, item.bucket, item.key, item.kind, item.size, item.verdict, item.reasons.join('; '), item.status, ...Object.assign(['', '', '', ''], worst), all, ...(item.decision ? [item.decision[0], item.decision[1], item.decision[3]] : ['', '', ''])];
  };
  let exported;
  const exportRows = (items) => {
    const lines = [head, ...items.map(makeRow)].map((row) => row.map(cell).join(',') + '\r\n');
    if (exported !== undefined) URL.revokeObjectURL(exported);
    exported = URL.createObjectURL(new Blob([settings.isGuarded ? '\uFEFF' : '', ...lines], { type: 'text/csv;charset=utf-8' }));
    make('a', { href: exported, download: settings.run + '-flagged.csv' }).click();
  };
`;
