import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command, KickReason, wire } from '../src/wire.js';
import { CoreFixture, text } from './core_fixture.js';

const kickout = (reason, fields = {}) => wire.Kickout.encode({
  reason: KickReason[`KICK_REASON_${reason}`], ...fields,
}).finish();

test('logs in with what it was told', () => {
  const client = new CoreFixture({ appId: 'demo', deviceId: 'tab-1' });
  client.core.start(client.now);
  client.settle();
  assert.equal(client.connects, 1);
  client.core.connected('the-token', 5, client.now);
  client.settle();
  const { fields } = client.one(Command.COMMAND_AUTH, wire.AuthReq);
  assert.deepEqual([fields.token, fields.uid, fields.app_id, fields.device_id].map(text),
    ['the-token', 'alice', 'demo', 'tab-1']);
  assert.equal(fields.device_type, 3);
});

test('a broken connection is made again, ever later, and at once again after a success', () => {
  const client = new CoreFixture({ backoffMin: 100, backoffMax: 1_000 });
  client.core.start(client.now);
  client.settle();
  const waits = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    client.cut();
    waits.push(client.core.nextWake() - client.now);
    client.advanceToWake();
  }
  assert.deepEqual(waits, [75, 150, 300, 600, 750, 750]);
  client.logIn();
  client.cut();
  assert.equal(client.core.nextWake() - client.now, 75 + 500); // not together with all others
});

test('hurry: the next attempt comes soon', () => {
  const client = new CoreFixture();
  client.core.start(client.now);
  client.settle();
  for (let attempt = 0; attempt < 8; attempt += 1) {
    client.cut();
    client.advanceToWake();
  }
  client.cut();
  assert.ok(client.core.nextWake() - client.now > 5_000);
  client.core.hurry(client.now);
  assert.equal(client.core.nextWake() - client.now, 75);
});

test('a kick by another login is for good', () => {
  const client = new CoreFixture({ tokenRenewable: true });
  client.logIn();
  client.answer(Command.COMMAND_KICKOUT, 0, kickout('OTHER_LOGIN', { message: 'elsewhere' }));
  assert.deepEqual(client.kicks, [
    { reason: 'OTHER_LOGIN', message: 'elsewhere', reconnectAfterMs: 0, willReconnect: false },
  ]);
  assert.equal(client.core.state, 'stopped');
  assert.equal(client.core.nextWake(), Infinity);
});

test('a draining server is left for when it says', () => {
  const client = new CoreFixture();
  client.logIn();
  client.answer(Command.COMMAND_KICKOUT, 0, kickout('SERVER_DRAIN', { reconnect_after_ms: 900 }));
  assert.equal(client.core.state, 'waiting');
  assert.equal(client.core.nextWake() - client.now, 975);
});

test('an expired token is renewed when there is a source of tokens, else it ends the client', () => {
  for (const [tokenRenewable, state] of [[true, 'waiting'], [false, 'stopped']]) {
    const client = new CoreFixture({ tokenRenewable });
    client.logIn();
    client.answer(Command.COMMAND_KICKOUT, 0, kickout('TOKEN_EXPIRED'));
    assert.equal(client.core.state, state);
  }
});

test('an administrator\'s kick is for good unless it says when to come back', () => {
  for (const [fields, state] of [[{}, 'stopped'], [{ reconnect_after_ms: 100 }, 'waiting']]) {
    const client = new CoreFixture();
    client.logIn();
    client.answer(Command.COMMAND_KICKOUT, 0, kickout('ADMIN', fields));
    assert.equal(client.core.state, state);
  }
});

test('refused at login: temporary errors are tried again, others are final', () => {
  for (const [code, state] of [['UNAVAILABLE', 'waiting'], ['PERMISSION_DENIED', 'stopped'], ['UNAUTHENTICATED', 'stopped']]) {
    const client = new CoreFixture();
    client.core.start(client.now);
    client.core.connected('token', 1, client.now);
    client.settle();
    client.refuse(client.one(Command.COMMAND_AUTH), code);
    assert.equal(client.core.state, state, code);
  }
});

test('a renewable token is refused three times before the client gives up', () => {
  const client = new CoreFixture({ tokenRenewable: true });
  client.core.start(client.now);
  for (const state of ['waiting', 'waiting', 'stopped']) {
    client.settle();
    client.core.connected('token', 1, client.now);
    client.settle();
    client.refuse(client.one(Command.COMMAND_AUTH), 'UNAUTHENTICATED');
    assert.equal(client.core.state, state);
    if (state === 'waiting') client.advanceToWake();
  }
});

test('says NOOP when the heartbeat is due', () => {
  const client = new CoreFixture();
  client.logIn();
  client.advance(269_999);
  assert.deepEqual(client.taken(Command.COMMAND_NOOP), []);
  client.advance(1);
  const { seq } = client.one(Command.COMMAND_NOOP);
  client.answer(Command.COMMAND_NOOP, seq, new Uint8Array(0));
  client.advance(8_000);
  assert.equal(client.core.state, 'online');
});

test('an unanswered heartbeat ends the connection', () => {
  const client = new CoreFixture();
  client.logIn();
  client.advance(270_000);
  client.advance(8_100);
  assert.equal(client.core.state, 'waiting');
});

test('a stop waits for the answer to LOGOUT, a second at most', () => {
  const client = new CoreFixture();
  client.logIn();
  client.core.stop(client.now);
  client.settle();
  assert.equal(client.core.state, 'online');
  client.advance(1_000);
  assert.equal(client.core.state, 'stopped');
});
