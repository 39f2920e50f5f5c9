// The page in Chromium against a whole cluster: what people see.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Person, Terminal, cluster, name, short, startBrowser } from './people.js';

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(2)><b>bold</b>',
  '</div></main><h1>out',
  'javascript:alert(3) {{7*7}} ${7*7} &lt;',
  'right to left \u202etxet eht fo tser eht',
  '\u2066isolated \u2067and never ended',
  'שלום עולם، مرحبا',
  `Z${'\u0336\u0489\u0300'.repeat(60)}algo`,
  '\u0000\u0007\ufeff\u200b',
  'W'.repeat(60_000),
];

test('two pages chat with each other', async () => {
  const alice = await Person.logIn(browser, name('alice'));
  const bob = await Person.logIn(browser, name('bob'));
  await alice.chatWith(bob.uid);
  await alice.say('hello, bob');
  await alice.untilMark('stored');
  await bob.untilUnread(alice.uid, '1');
  assert.equal(await bob.page.title(), '(1) Hongyan');
  await bob.openChat(alice.uid);
  await bob.untilUnread(alice.uid, '');
  await bob.say('hello, alice 🪿');
  await alice.untilText('hello, alice 🪿');
  await alice.say('one');
  await alice.say('two');
  await bob.untilText('two');
  assert.deepEqual(await bob.texts(), ['hello, bob', 'hello, alice 🪿', 'one', 'two']);
  assert.deepEqual(await alice.texts(), ['hello, bob', 'hello, alice 🪿', 'one', 'two']);

  // A reload shows what the browser holds.
  await alice.page.reload();
  await alice.untilState('Online');
  await alice.openChat(bob.uid);
  await alice.untilText('two');
  assert.deepEqual(await alice.texts(), ['hello, bob', 'hello, alice 🪿', 'one', 'two']);

  // A browser that holds nothing fetches both sides of it.
  const elsewhere = await Person.logIn(browser, alice.uid);
  await elsewhere.openChat(bob.uid);
  await elsewhere.untilText('two');
  assert.deepEqual(await elsewhere.texts(), ['hello, bob', 'hello, alice 🪿', 'one', 'two']);
  for (const person of [alice, bob, elsewhere]) await person.close();
});

test('a page and hongyan-chat', async () => {
  const page = await Person.logIn(browser, name('page'));
  const terminal = new Terminal(name('term'), '--wait', '60');
  await page.chatWith(name('term'));
  await page.say('from the page');
  const heard = await terminal.message();
  assert.equal(heard.from, page.uid);
  assert.equal(heard.content, 'from the page');
  terminal.close();
  await new Terminal(name('term'), '--send', page.uid, 'from the terminal').finish();
  await page.untilText('from the terminal');
  await page.close();
});

test('who was away catches up, in order', async () => {
  const context = await browser.createBrowserContext();
  const first = await Person.logIn(browser, name('carol'), { context });
  await first.close();
  const texts = ['where are you?', '🎋', '鸿雁传书 '.repeat(300), 'fourth'];
  for (const text of texts) await new Terminal(name('dave'), '--send', name('carol'), text).finish();
  const carol = await Person.logIn(browser, name('carol'), { context });
  await carol.untilUnread(name('dave'), '4');
  await carol.openChat(name('dave'));
  await carol.untilText('fourth');
  await carol.page.locator('.message .link').click(); // the long one, whole
  await carol.untilText(texts[2]);
  assert.deepEqual(await carol.texts(), texts.map(short));
  await carol.close();
});

test('a gate that dies: the page says so, keeps what is written, and goes on', async () => {
  const erin = await Person.logIn(browser, name('erin'));
  const frank = await Person.logIn(browser, name('frank'));
  await erin.chatWith(frank.uid);
  await erin.say('before');
  await frank.openChat(erin.uid);
  await cluster('kill', 'gate-1');
  await erin.untilState('Offline. Trying again…');
  await erin.say('written while offline');
  await erin.untilMark('sending');
  await cluster('restart', 'gate-1');
  await erin.untilState('Online');
  await erin.untilMark('stored');
  await frank.untilText('written while offline');
  assert.deepEqual(await frank.texts(), ['before', 'written while offline']);
  for (const person of [erin, frank]) await person.close();
});

test('a page that another login replaces says so, and can come back', async () => {
  const first = await Person.logIn(browser, name('grace'));
  const second = await Person.logIn(browser, name('grace'));
  await first.page.waitForSelector('dialog[open]');
  assert.match(await first.page.$eval('dialog[open]', (dialog) => dialog.textContent), /Logged in elsewhere/);
  await first.screenshot('replaced');
  await first.page.keyboard.press('Enter'); // Use it here
  await first.untilState('Online');
  await second.page.waitForSelector('dialog[open]');
  for (const person of [first, second]) await person.close();
});

test('a group: made, spoken in, renamed, left', async () => {
  const [kim, lee, mia] = await Promise.all(['kim', 'lee', 'mia'].map((uid) => Person.logIn(browser, name(uid))));
  await kim.newGroup('Wild geese', [lee.uid, mia.uid]);
  await kim.untilEvent(`You created the group Wild geese with ${lee.uid}, ${mia.uid}`);
  await kim.say('hello, all');
  await kim.untilMark('ordered');
  await lee.untilUnread('Wild geese', '1');
  for (const person of [lee, mia]) await person.openChat('Wild geese');
  await lee.say('hello, kim');
  await mia.say('and hello from me');
  for (const person of [kim, lee, mia]) {
    for (const text of ['hello, kim', 'and hello from me']) await person.untilText(text);
  }
  const order = await kim.texts();
  assert.equal(order.length, 3);
  for (const person of [lee, mia]) assert.deepEqual(await person.texts(), order);
  assert.equal(await lee.page.$eval('.thread .state', (state) => state.textContent), '3 members');

  await kim.aboutGroup();
  await kim.page.locator('dialog[open] input[name=name]').fill('Tame geese');
  await kim.page.keyboard.press('Enter');
  await lee.untilEvent(`${kim.uid} renamed the group to Tame geese`);
  await lee.page.waitForFunction(() => document.querySelector('.thread .title').textContent === 'Tame geese');

  await mia.aboutGroup();
  await mia.page.locator('dialog[open] .danger button').click(); // Leave the group
  await lee.untilEvent(`${mia.uid} left`);
  await mia.page.waitForFunction(() => document.querySelector('.composer').hidden);
  await kim.say('without mia');
  await lee.untilText('without mia');

  // Another browser finds the group, its messages and its events.
  const elsewhere = await Person.logIn(browser, lee.uid);
  await elsewhere.openChat('Tame geese');
  await elsewhere.untilText('without mia');
  assert.deepEqual(await elsewhere.texts(), [...order, 'without mia']);
  await elsewhere.untilEvent(`${mia.uid} left`);
  assert.ok(!(await mia.texts()).includes('without mia'));
  for (const person of [kim, lee, mia, elsewhere]) await person.close();
});

test('hostile texts are shown as text, and stay in their place', async () => {
  const mallory = await Person.logIn(browser, `<i>mal\u202e${name('lory')}`);
  const heidi = await Person.logIn(browser, name('heidi'));
  await mallory.chatWith(heidi.uid);
  for (const text of HOSTILE) await mallory.paste(text);
  await mallory.untilMark('stored');
  await heidi.openChat(mallory.uid);
  await heidi.page.waitForFunction((count) => document.querySelectorAll('.message').length === count, {}, HOSTILE.length);
  await heidi.page.locator('.message .link').click();
  await heidi.untilText(HOSTILE.at(-1));
  assert.deepEqual(await heidi.texts(), HOSTILE.map(short));
  const found = await heidi.page.evaluate(() => ({
    foreign: document.querySelectorAll('.log :is(script, img, h1, b, i, a, iframe)').length,
    overflow: document.documentElement.scrollWidth - innerWidth,
    outside: [...document.querySelectorAll('.bubble')].filter((bubble) => bubble.getBoundingClientRect().right > innerWidth).length,
    isolated: [...document.querySelectorAll('.message .text, .name')].every(
      (text) => ['isolate', 'isolate-override', 'plaintext'].includes(getComputedStyle(text).unicodeBidi)),
    scripts: document.scripts.length,
  }));
  assert.deepEqual(found, { foreign: 0, overflow: 0, outside: 0, isolated: true, scripts: 1 });
  await heidi.page.evaluate(() => document.querySelector('.log').scrollTo(0, 0));
  await heidi.screenshot('hostile');
  for (const person of [mallory, heidi]) await person.close();
});

test('what is held is shown by scrolling, a page at a time', async () => {
  const { Client } = await import('hongyan-client');
  const { default: WebSocket } = await import('ws');
  const { tokenFor } = await import('./token.js');
  const ivan = new Client({
    uid: name('ivan'), appId: 'demo', tokenSource: () => tokenFor(name('ivan')), iplist: [process.env.HONGYAN_IPLIST],
    webSocket: WebSocket,
  });
  ivan.start();
  const count = 150;
  await Promise.all(Array.from({ length: count }, (_, number) => ivan.send(name('judy'), `message ${number}`)));
  await ivan.stop();
  const judy = await Person.logIn(browser, name('judy'));
  await judy.openChat(name('ivan'));
  await judy.untilText('message 149');
  const shown = () => judy.page.$$eval('.message', (found) => found.length);
  assert.equal(await shown(), 60);
  while (await shown() < count) {
    const before = await shown();
    await judy.page.evaluate(() => document.querySelector('.log').scrollTo(0, 0));
    await judy.page.waitForFunction((known) => document.querySelectorAll('.message').length > known, {}, before);
  }
  assert.deepEqual(await judy.texts(), Array.from({ length: count }, (_, number) => `message ${number}`));
  await judy.close();
});

test('only development gives tokens to anybody, and the page holds no key', async () => {
  const page = await (await fetch(process.env.HONGYAN_WEB)).text();
  const [, script] = page.match(/src="(\/assets\/[^"]+\.js)"/);
  const code = await (await fetch(new URL(script, process.env.HONGYAN_WEB))).text();
  for (const secret of [process.env.HONGYAN_API_KEY, process.env.HONGYAN_TOKEN_SECRET]) {
    assert.ok(!page.includes(secret) && !code.includes(secret));
  }
  const refused = await Person.open(browser, 'x'.repeat(129));
  await refused.page.$eval('#uid', (input) => input.removeAttribute('maxlength'));
  await refused.page.locator('#uid').fill('x'.repeat(129));
  await refused.page.keyboard.press('Enter');
  await refused.page.waitForFunction(() => /128 bytes/.test(document.querySelector('.problem').textContent));
  await refused.page.close();
});
