// examples/page_login.js against a whole cluster, in Node.js.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { webcrypto } from 'node:crypto';
import WebSocket from 'ws';
import { logIn } from '../../examples/page_login.js';
import { name } from './people.js';
import { tokenFor } from './token.js';

globalThis.crypto ??= webcrypto; // Node.js 18

const PATIENCE_MS = 60_000;

function enter(uid, heard) {
  return logIn({
    uid,
    fetchToken: () => tokenFor(uid),
    onText: (from, text) => heard.emit('text', from, text),
    onLoggedOut: (why) => heard.emit('out', why),
  }, { iplist: [process.env.HONGYAN_IPLIST], webSocket: WebSocket });
}

test('two pages talk; who logs in elsewhere is logged out here', async () => {
  const heard = new EventEmitter();
  const [alice, bob] = [name('alice'), name('bob')];
  const aliceHere = enter(alice, new EventEmitter());
  const bobHere = enter(bob, heard);
  const text = once(heard, 'text', { signal: AbortSignal.timeout(PATIENCE_MS) });
  await aliceHere.say(bob, 'hello');
  assert.deepEqual(await text, [alice, 'hello']);

  const out = once(heard, 'out', { signal: AbortSignal.timeout(PATIENCE_MS) });
  const bobThere = enter(bob, new EventEmitter());
  assert.match((await out)[0], /OTHER_LOGIN/);
  await Promise.all([aliceHere, bobHere, bobThere].map((session) => session.logOut()));
});
