/** Part of the page's script: making elements, and the buttons that copy. */

export const element = String.raw`
  const byId = (id) => document.getElementById(id);
  const { settings, said } = { settings: JSON.parse(byId('data').textContent), said: byId('said') };

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
    if (copied) copied.textContent = say('word.copy');
    copied = button;
    button.textContent = say('word.copied');
    said.textContent = say('word.copied');
  };
  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.addEventListener('click', () => void copy(button.dataset.copy, button));
  }
`;
