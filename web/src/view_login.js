// The first view: who are you?
import { avatar, el, icon, nameOf } from './dom.js';

const RECENT = 'hongyan.recent';
const MOST_RECENT = 6;

function recent() {
  try {
    const names = JSON.parse(localStorage.getItem(RECENT) ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string').slice(0, MOST_RECENT) : [];
  } catch {
    return [];
  }
}

export function remember(name) {
  try {
    localStorage.setItem(RECENT, JSON.stringify([name, ...recent().filter((other) => other !== name)].slice(0, MOST_RECENT)));
  } catch {
    // A browser that keeps nothing asks again.
  }
}

/** logIn(name): a promise; what it fails with is shown. */
export function loginView(logIn) {
  const input = el('input', {
    id: 'uid', name: 'uid', autocomplete: 'username', autocapitalize: 'off', spellcheck: 'false', maxlength: '128',
    required: true, dir: 'auto', placeholder: 'alice', 'aria-describedby': 'login-note',
  });
  const button = el('button', { class: 'primary', type: 'submit' }, 'Log in');
  const problem = el('p', { class: 'problem', role: 'alert', hidden: true });
  const enter = async (name) => {
    problem.hidden = true;
    button.disabled = true;
    try {
      await logIn(name);
    } catch (error) {
      problem.textContent = error.name === 'HongyanError' ? error.message : 'The server cannot be reached. Is it running?';
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  };
  const form = el('form', {
    onsubmit: (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (name !== '') enter(name);
    },
  }, el('label', { for: 'uid' }, 'Your name'), input, button);
  const names = recent();
  const card = el('main', { class: 'login' },
    el('div', { class: 'brand' }, el('img', { src: '/icon.svg', alt: '', width: '56', height: '56' }),
      el('div', {}, el('h1', {}, 'Hongyan'), el('p', {}, '鸿雁 · messages that arrive'))),
    form, problem,
    names.length > 0 && el('div', { class: 'recent' }, el('p', {}, 'Or again as'),
      el('div', { class: 'chips' }, ...names.map((name) => el('button', { type: 'button', class: 'chip', onclick: () => enter(name) },
        avatar(name), nameOf(name))))),
    el('p', { class: 'note', id: 'login-note' }, icon('info'),
      'A demo: anybody may log in under any name, and two windows under two names can chat.'));
  queueMicrotask(() => input.focus());
  return card;
}
