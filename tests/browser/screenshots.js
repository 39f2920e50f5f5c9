// The pictures of the documentation, anew:
//   tests/support/with-cluster --gates 1 -- node tests/browser/screenshots.js docs/images
import { mkdir } from 'node:fs/promises';
import { Person, startBrowser } from './people.js';

const folder = process.argv[2];
if (!folder) throw new Error('usage: screenshots.js FOLDER');
await mkdir(folder, { recursive: true });

const browser = await startBrowser();
const alice = await Person.logIn(browser, 'alice', { size: { width: 1080, height: 700 } });
const [bob, carol, dave] = await Promise.all(['bob', 'carol', '大雁'].map((uid) => Person.logIn(browser, uid)));

await dave.chatWith('alice');
await dave.say('今晚一起吃火锅吗？🍜');
await alice.chatWith('carol');
await alice.say('Did the slides reach you?');
await alice.untilMark('stored');
await carol.openChat('alice');
await carol.say('They did, thank you!');
await carol.say('I will look at them on the train.');
await alice.untilText('I will look at them on the train.');

await alice.newGroup('Wild geese', ['bob', 'carol', '大雁']);
await alice.untilEvent('You created the group Wild geese with bob, carol, 大雁');
for (const person of [bob, carol, dave]) await person.openChat('Wild geese');
const turns = [
  [alice, 'Good morning! When do we leave for the lake?'],
  [bob, 'Early. The geese are there before eight, and the light is best then.'],
  [carol, '🪿'],
  [dave, '我开车，七点在老地方见。'],
  [bob, 'Seven at the old place. I bring breakfast 🥟'],
  [alice, 'Perfect. I was offline on the underground, and it is all here:\nin order, nothing missing, nothing twice.'],
  [alice, 'See you at seven!'],
];
const people = [alice, bob, carol, dave];
for (const [person, text] of turns) {
  await person.paste(text);
  for (const other of people) await other.untilText(text);
}
await alice.untilMark('ordered');
await carol.openChat('alice');
await carol.say('PS: page 7 is my favourite.');
await alice.untilUnread('carol', '1');
await alice.page.mouse.move(700, 650);

const shoot = (person, name) => person.page.screenshot({ path: `${folder}/${name}.png`, optimizeForSpeed: false });
const scheme = (person, value) => person.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
await scheme(alice, 'light');
await shoot(alice, 'page-light');
await scheme(alice, 'dark');
await shoot(alice, 'page-dark');

const phone = { width: 390, height: 760, isMobile: true, hasTouch: true, deviceScaleFactor: 1.5 };
await dave.page.setViewport(phone);
await dave.untilState('Online');
await dave.openChat('Wild geese');
await dave.untilText('See you at seven!');
await scheme(dave, 'light');
await shoot(dave, 'phone-light');
await browser.close();
