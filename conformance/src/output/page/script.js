'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const filters = document.getElementById('filters');
const search = document.getElementById('search');
const level = document.getElementById('level');
const role = document.getElementById('role');
const count = document.getElementById('count');
const detail = document.getElementById('detail');
const content = document.getElementById('content');
const sections = [...document.querySelectorAll('tbody')].map(body => ({
  body,
  toggle: body.querySelector('th.section button'),
  rows: [...body.querySelectorAll('tr.case')],
}));

// What is shown: rows that fit the filters, of sections that are open. A search opens all of them.
function filter() {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const on = new Set([...filters.querySelectorAll('input:checked')].map(box => box.value));
  let fitting = 0;
  for (const { body, toggle, rows } of sections) {
    let any = false;
    const open = words.length > 0 || toggle.getAttribute('aria-expanded') === 'true';
    for (const row of rows) {
      const fits = row.dataset.words.split(' ').some(word => on.has(word))
        && words.every(word => row.dataset.text.includes(word))
        && (!level.value || row.dataset.level === level.value)
        && (!role.value || row.dataset.role === role.value);
      any = any || fits;
      fitting += fits;
      row.hidden = !fits || !open;
    }
    body.hidden = !any;
  }
  for (const part of document.querySelectorAll('section.role')) {
    part.hidden = ![...part.querySelectorAll('tbody')].some(body => !body.hidden);
  }
  count.textContent = `${fitting} of ${document.querySelectorAll('tr.case').length} cases`;
}

function expand(open) {
  for (const { toggle } of sections) toggle.setAttribute('aria-expanded', String(open));
  filter();
}

function element(name, text, kind) {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// The dialogue of one result. All of it is text, whatever a peer has sent.
function show(number) {
  const result = data.results[number];
  const about = data.cases[result.case];
  const parts = [element('h2', about.id), element('p', about.title)];
  const facts = element('dl', '');
  const fact = (name, words, kind) => {
    if (!words) return;
    const value = element('dd', '');
    value.append(kind === 'octets' ? element('code', words) : element('span', words, kind));
    facts.append(element('dt', name), value);
  };
  fact('outcome', result.word, `chip ${result.word}`);
  fact('where', `${about.level}, ${about.role}, ${result.peer}`);
  fact('sent', result.sent, 'octets');
  fact('expected', result.expected, 'octets');
  fact('got', result.got, 'octets');
  fact(result.word === 'skip' ? 'skipped' : 'note', result.reason);
  fact('known deviation', result.known);
  fact('again', result.again, 'octets');
  parts.push(facts);
  if (about.requirements.length) parts.push(element('h3', 'What the RFC says'));
  for (const { place, id, quote } of about.requirements) {
    const words = element('blockquote', quote);
    words.append(document.createElement('br'), element('span', `${place}, ${id}`, 'quiet'));
    parts.push(words);
  }
  parts.push(element('h3', 'Dialogue'));
  const said = element('pre', '');
  for (const line of result.dialogue) {
    const side = /^\d*C: /.test(line) ? 'c' : /^\d*S: /.test(line) ? 's' : 'e';
    said.append(element('span', line, side), '\n');
  }
  if (!result.dialogue.length) said.append(element('span', result.left_out ? 'left out of this page; --json has it' : 'nothing was said', 'e'));
  parts.push(said);
  content.replaceChildren(...parts);
  detail.showModal();
}

filters.addEventListener('input', filter);
filters.addEventListener('submit', event => event.preventDefault());
document.getElementById('open').addEventListener('click', () => expand(true));
document.getElementById('shut').addEventListener('click', () => expand(false));
document.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (button && button.dataset.result) show(Number(button.dataset.result));
  if (button && button.hasAttribute('aria-expanded')) {
    button.setAttribute('aria-expanded', String(button.getAttribute('aria-expanded') !== 'true'));
    filter();
  }
  if (event.target === detail) detail.close();
});
filter();
