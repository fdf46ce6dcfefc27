// Renders /openapi.json. Everything is put in as text, never as markup.
'use strict';

const make = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

const DEPTH_MAX = 6;

/** A schema as lines that read like the JSON it describes. */
function shape(doc, schema, depth = 0, seen = []) {
  if (!schema) return 'any';
  if (schema.$ref) {
    const name = schema.$ref.split('/').pop();
    if (seen.includes(name) || depth > DEPTH_MAX) return name;
    return shape(doc, doc.components?.schemas?.[name], depth, [...seen, name]);
  }
  const several = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (several) return several.map((one) => (one.type === 'null' ? 'null' : shape(doc, one, depth, seen))).join(schema.allOf ? ' & ' : ' | ');
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(' | ');
  const types = [].concat(schema.type ?? []);
  const none = types.includes('null') ? ' | null' : '';
  if (types.includes('array')) return `[${shape(doc, schema.items, depth, seen)}]${none}`;
  if (schema.properties) {
    const pad = '  '.repeat(depth + 1);
    const needed = schema.required ?? [];
    const lines = Object.entries(schema.properties).map(([name, inner]) => {
      const note = inner.description ? `   // ${inner.description.replace(/\s+/g, ' ')}` : '';
      return `${pad}"${name}"${needed.includes(name) ? '' : '?'}: ${shape(doc, inner, depth + 1, seen)}${note}`;
    });
    return `{\n${lines.join(',\n')}\n${'  '.repeat(depth)}}${none}`;
  }
  const plain = types.filter((type) => type !== 'null').join(' | ') || 'any';
  return plain + (schema.format ? ` (${schema.format})` : '') + none;
}

const content = (doc, holder) =>
  Object.entries(holder?.content ?? {}).map(([type, body]) => make('div', {}, make('code', {}, type), make('pre', {}, shape(doc, body.schema))));

function operation(doc, path, method, op) {
  const roles = (op['x-roles'] ?? []).join(' ');
  const inside = make('div', { class: 'inside' });
  if (op.description) inside.append(make('p', {}, op.description));
  const parameters = op.parameters ?? [];
  if (parameters.length) {
    const rows = parameters.map((p) =>
      make('tr', {}, make('td', {}, make('code', {}, p.name)), make('td', {}, p.in), make('td', {}, shape(doc, p.schema)), make('td', {}, p.description ?? '')),
    );
    inside.append(make('h3', {}, 'Parameters'), make('table', {}, make('tbody', {}, ...rows)));
  }
  if (op.requestBody) inside.append(make('h3', {}, 'Body'), ...content(doc, op.requestBody));
  for (const [status, reply] of Object.entries(op.responses ?? {})) {
    if (status === 'default') continue;
    inside.append(make('h3', {}, `${status} ${reply.description ?? ''}`), ...content(doc, reply));
  }
  const node = make(
    'details',
    { id: op.operationId ?? '' },
    make('summary', {}, make('span', { class: 'method' }, method.toUpperCase()), make('code', {}, path), make('span', {}, op.summary ?? ''), make('span', { class: 'roles' }, roles)),
    inside,
  );
  node.dataset.words = `${method} ${path} ${op.summary ?? ''} ${roles}`.toLowerCase();
  return node;
}

function show(doc) {
  const groups = new Map();
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
      if (!item[method]) continue;
      const tag = item[method].tags?.[0] ?? 'other';
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(doc, path, method, item[method]));
    }
  }
  const main = document.getElementById('main');
  main.replaceChildren(make('p', {}, doc.info.description ?? ''));
  for (const [tag, nodes] of [...groups].sort(([a], [b]) => a.localeCompare(b))) main.append(make('section', {}, make('h2', {}, tag), ...nodes));
  document.getElementById('filter').addEventListener('input', (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const node of main.querySelectorAll('details')) node.hidden = !words.every((word) => node.dataset.words.includes(word));
    for (const section of main.querySelectorAll('section')) section.hidden = !section.querySelector('details:not([hidden])');
  });
  const chosen = location.hash && document.getElementById(location.hash.slice(1));
  if (chosen) {
    chosen.open = true;
    chosen.scrollIntoView();
  }
}

fetch('/openapi.json')
  .then((response) => response.json())
  .then(show)
  .catch((error) => document.getElementById('main').replaceChildren(make('p', { role: 'alert' }, `The document could not be read: ${error}`)));
