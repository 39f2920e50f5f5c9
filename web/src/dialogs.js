// What is asked in a window of its own.
import { avatar, el, iconButton, nameOf } from './dom.js';
import { namesIn } from './text.js';

/** Opens it; closed, it is gone. */
function open(title, ...children) {
  const dialog = el('dialog', { 'aria-label': title, onclose: () => dialog.remove() },
    el('header', {}, el('h2', {}, title), iconButton('close', 'Close', () => dialog.close())), ...children);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A form whose submit(values) may fail; then the dialog stays and says why. */
function form(dialog, label, submit, ...fields) {
  const problem = el('p', { class: 'problem', role: 'alert', hidden: true });
  const button = el('button', { type: 'submit', class: 'primary' }, label);
  return el('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      problem.hidden = true;
      button.disabled = true;
      try {
        await submit(Object.fromEntries(new FormData(event.target)));
        dialog().close();
      } catch (error) {
        problem.textContent = error.message;
        problem.hidden = false;
      } finally {
        button.disabled = false;
      }
    },
  }, ...fields, problem, button);
}

function field(label, name, attributes = {}) {
  return el('label', {}, label, el('input', { name, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', dir: 'auto', ...attributes }));
}

export function newChat(start) {
  const dialog = open('New chat', form(() => dialog, 'Chat', ({ uid }) => start(uid.trim()),
    field('With whom?', 'uid', { required: true, maxlength: '128', pattern: '.*\\S.*', autofocus: true, placeholder: 'bob' })));
}

export function newGroup(create) {
  const dialog = open('New group', form(() => dialog, 'Create', ({ name, members }) => create(name.trim(), namesIn(members)),
    field('Name', 'name', { required: true, maxlength: '64', pattern: '.*\\S.*', autofocus: true, placeholder: 'Wild geese' }),
    field('Members, separated by commas', 'members', { placeholder: 'bob, carol' })));
}

/** actions: {change(operation, …), left()}; members: a promise. */
export function aboutGroup({ conversation, me, members, change }) {
  const { owner, announcement } = conversation.group;
  const owns = owner === me;
  const list = el('ul', { class: 'members' }, el('li', {}, 'Loading…'));
  const again = (operation, ...args) => change(operation, ...args).then(() => dialog.close());
  const problem = el('p', { class: 'problem', role: 'alert', hidden: true });
  const attempt = (...args) => again(...args).catch((error) => {
    problem.textContent = error.message;
    problem.hidden = false;
  });
  const dialog = open('About the group',
    el('p', { class: 'group-title' }, avatar(conversation.name, true), nameOf(conversation.name, 'title')),
    announcement && el('p', { class: 'announcement' }, el('bdi', { dir: 'auto' }, announcement)),
    el('h3', {}, 'Members'), list,
    form(() => dialog, 'Add', ({ uids }) => change('addMembers', namesIn(uids)),
      field('Add members', 'uids', { required: true, placeholder: 'dave, erin' })),
    owns && form(() => dialog, 'Rename', ({ name }) => change('renameGroup', name.trim()),
      field('New name', 'name', { required: true, maxlength: '64', pattern: '.*\\S.*' })),
    owns && form(() => dialog, 'Announce', ({ text }) => change('announce', text),
      field('Announcement', 'text', { maxlength: '1000' })),
    problem,
    el('div', { class: 'danger' }, owns ? el('button', { type: 'button', onclick: () => attempt('deleteGroup') }, 'Dissolve the group')
      : el('button', { type: 'button', onclick: () => attempt('exitGroup') }, 'Leave the group')));
  members.then((uids) => list.replaceChildren(...uids.map((uid) => el('li', {}, avatar(uid), nameOf(uid),
    uid === owner && el('span', { class: 'tag' }, 'owner'),
    owns && uid !== me && el('button', { type: 'button', class: 'link', onclick: () => attempt('removeMembers', [uid]) }, 'Remove')))),
  (error) => list.replaceChildren(el('li', { class: 'problem' }, error.message)));
}

/** The page was sent away for good. */
export function sentAway({ title, text, action, again, leave }) {
  const dialog = open(title, el('p', {}, ...text), el('div', { class: 'buttons' },
    el('button', {
      type: 'button', class: 'primary', autofocus: true, onclick: () => {
        dialog.close();
        again();
      },
    }, action),
    el('button', {
      type: 'button', onclick: () => {
        dialog.close();
        leave();
      },
    }, 'Log out')));
  dialog.classList.add('sent-away');
}
