// Elements without markup: what people wrote gets into the page as text only.
import { hueOf, initialOf } from './text.js';

/** el('p', {class: 'a', onclick: f, 'aria-label': 'x', hidden: false}, 'text', child, undefined …) */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** What somebody chose to be called: isolated, so that its direction marks end where it ends. */
export function nameOf(text, className = '') {
  return el('bdi', { class: `name ${className}`, dir: 'auto' }, text);
}

const PATHS = {
  back: 'M15 5l-7 7 7 7',
  send: 'M4 12l16-8-6 16-3-7-7-1z',
  smile: 'M12 21a9 9 0 100-18 9 9 0 000 18zM8.5 14.5a4.2 4.2 0 007 0M9 9.5v.01M15 9.5v.01',
  plus: 'M12 5v14M5 12h14',
  group: 'M9 11a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.4a3.5 3.5 0 010 6.3M18 14.5c2.2.8 3.5 2.7 3.5 5.5',
  info: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 11v5M12 7.8v.01',
  theme: 'M20 14.6A8.2 8.2 0 119.4 4a6.6 6.6 0 0010.6 10.6z',
  leave: 'M14 4H6v16h8M10 12h10M17 9l3 3-3 3',
  down: 'M12 5v13M6 13l6 6 6-6',
  clock: 'M12 20a8 8 0 100-16 8 8 0 000 16zM12 8v4l3 2',
  tick: 'M5 12.5l4.5 4.5L19 7.5',
  ticks: 'M2 12.5l4.5 4.5L15 8M11 16l1 1 9.5-9.5',
  alert: 'M12 4l9 16H3zM12 10v4M12 17v.01',
  close: 'M6 6l12 12M18 6L6 18',
};

export function icon(name, label) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  if (label) {
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);
  } else {
    svg.setAttribute('aria-hidden', 'true');
  }
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, onclick, attributes = {}) {
  return el('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...attributes }, icon(name));
}

/** A round picture made of a name. */
export function avatar(name, isGroup = false) {
  const picture = el('span', { class: `avatar${isGroup ? ' group' : ''}`, 'aria-hidden': 'true' }, initialOf(name));
  picture.style.setProperty('--hue', hueOf(name));
  return picture;
}
