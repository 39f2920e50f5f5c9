// A browser whose windows are people: what a test does and sees goes through what is on the page.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

export const PATIENCE_MS = 60_000;
export const ENV = process.env;

export async function startBrowser() {
  return puppeteer.launch({
    executablePath: ENV.HONGYAN_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en-GB'],
    env: { ...ENV, TZ: 'UTC', LANGUAGE: 'en_GB' },
  });
}

export const short = (text) => (text.length <= 200 ? text : `${text.slice(0, 20)}… (${text.length})`);

// One window, with a memory of its own (a browser profile that another Person may share).
export class Person {
  uid;
  page;
  context;
  problems = []; // what the page logged as errors, and dialogs that no page of ours opens

  static async open(browser, uid, { context, size = { width: 1180, height: 760 } } = {}) {
    const person = new Person();
    person.uid = uid;
    person.context = context ?? await browser.createBrowserContext();
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(PATIENCE_MS);
    person.page.on('pageerror', (error) => person.problems.push(`error: ${error.message}`));
    person.page.on('dialog', (dialog) => {
      person.problems.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    person.page.on('console', (message) => {
      const network = /^(Failed to load resource|WebSocket connection)/.test(message.text());
      if (message.type() === 'error' && !network) person.problems.push(message.text());
    });
    await person.page.setViewport(size);
    await person.page.goto(ENV.HONGYAN_WEB, { timeout: PATIENCE_MS });
    return person;
  }

  static async logIn(browser, uid, options) {
    const person = await Person.open(browser, uid, options);
    await person.logIn();
    return person;
  }

  async logIn() {
    await this.page.locator('#uid').fill(this.uid);
    await this.page.keyboard.press('Enter');
    await this.untilState('Online');
  }

  async untilState(text) {
    await this.page.waitForFunction(
      (wanted) => document.querySelector('.side .state')?.textContent === wanted, { timeout: PATIENCE_MS }, text);
  }

  // By keyboard alone, as everything here is.
  async chatWith(uid) {
    await this.page.locator('[aria-label="New chat"]').click();
    await this.page.waitForSelector('dialog[open]');
    await this.page.keyboard.type(uid);
    await this.page.keyboard.press('Enter');
    await this.page.waitForSelector('dialog[open]', { hidden: true });
  }

  async newGroup(title, members) {
    await this.page.locator('[aria-label="New group"]').click();
    await this.page.waitForSelector('dialog[open]');
    await this.page.keyboard.type(title);
    await this.page.keyboard.press('Tab');
    await this.page.keyboard.type(members.join(', '));
    await this.page.keyboard.press('Enter');
    await this.page.waitForSelector('dialog[open]', { hidden: true });
  }

  // Opens the window about the group that is open, once its members are there.
  async aboutGroup() {
    await this.page.locator('[aria-label="About the group"]').click();
    await this.page.waitForSelector('dialog[open] .members .avatar');
  }

  async openChat(title) {
    await this.page.waitForFunction((wanted) => {
      const rows = [...document.querySelectorAll('.conversation')];
      const row = rows.find((one) => one.querySelector('.title').textContent === wanted);
      row?.click();
      return row !== undefined;
    }, { timeout: PATIENCE_MS }, title);
  }

  async say(text) {
    await this.page.locator('.composer textarea').click();
    await this.page.keyboard.type(text);
    await this.page.keyboard.press('Enter');
  }

  // What nobody types.
  async paste(text) {
    await this.page.locator('.composer textarea').click();
    await this.page.evaluate((pasted) => {
      const input = document.querySelector('.composer textarea');
      input.value = pasted;
      input.dispatchEvent(new Event('input'));
    }, text);
    await this.page.keyboard.press('Enter');
  }

  // What is shown of the messages; long ones by their length, so that a failure can be read.
  async texts() {
    return (await this.page.$$eval('.message .text', (found) => found.map((one) => one.textContent))).map(short);
  }

  async untilText(text) {
    await this.page.waitForFunction(
      (wanted) => [...document.querySelectorAll('.message .text')].some((one) => one.textContent === wanted),
      { timeout: PATIENCE_MS }, text);
  }

  async untilEvent(text) {
    await this.page.waitForFunction(
      (wanted) => [...document.querySelectorAll('.event')].some((one) => one.textContent === wanted),
      { timeout: PATIENCE_MS }, text);
  }

  // state: 'sending', 'stored', 'ordered'; of the last own message.
  async untilMark(state) {
    await this.page.waitForFunction((wanted) => [...document.querySelectorAll('.message.mine')].at(-1)?.classList.contains(wanted),
      { timeout: PATIENCE_MS }, state);
  }

  async untilUnread(title, count) {
    await this.page.waitForFunction((wanted, number) => {
      const rows = [...document.querySelectorAll('.conversation')];
      const row = rows.find((one) => one.querySelector('.title').textContent === wanted);
      return row && (row.querySelector('.badge')?.textContent ?? '') === number;
    }, { timeout: PATIENCE_MS }, title, count);
  }

  async screenshot(name) {
    if (!ENV.HONGYAN_SCREENSHOTS) return;
    await this.page.screenshot({ path: `${ENV.HONGYAN_SCREENSHOTS}/${name}.png` });
  }

  async close() {
    assert.deepEqual(this.problems, [], `${this.uid}'s page`);
    await this.page.close();
  }
}

// hongyan-chat of a user, whose JSON lines are what it hears.
export class Terminal {
  #process;
  #lines;

  constructor(uid, ...options) {
    this.#process = spawn(`${ENV.HONGYAN_BUILD_DIR}/bin/hongyan-chat`,
      ['--env', `${ENV.HONGYAN_DIR}/env`, '--user', uid, '--json', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async message() {
    for (;;) {
      const { value, done } = await this.#lines.next();
      assert.ok(!done, 'hongyan-chat ended early');
      const event = JSON.parse(value);
      if (event.event === 'message') return event;
    }
  }

  // It has done what it was told.
  async finish() {
    const [status] = this.#process.exitCode === null ? await once(this.#process, 'exit') : [this.#process.exitCode];
    assert.equal(status, 0);
  }

  close() {
    this.#process.kill();
  }
}

export function cluster(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(ENV.HONGYAN_DEV_CLUSTER, [args[0], '--dir', ENV.HONGYAN_DIR, '--quiet', ...args.slice(1)], { stdio: 'ignore' });
    child.on('exit', (status) => (status === 0 ? resolve() : reject(new Error(`dev-cluster ${args} ended with ${status}`))));
  });
}

// Names of this run alone.
const run = Math.random().toString(36).slice(2, 6);
export const name = (person) => `${person}-${run}`;
