// Runs client/scenarios/*.json, what the clients of all languages do alike (client/scenarios/README.md).
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { ClientCore } from '../src/core.js';
import { CORE_DEFAULTS } from '../src/options.js';
import { decodePacket } from '../src/packet.js';
import * as requests from '../src/requests.js';
import { Command, CtrlType, ErrorCode, failure } from '../src/wire.js';

const FEWEST_SCENARIOS = 15;
const FOLDER = new URL('../../scenarios/', import.meta.url);
const PROTO = fileURLToPath(new URL('../../../proto/client.proto', import.meta.url));
const schema = (await new protobuf.Root().load(PROTO, { keepCase: true })).lookup('hongyan.client');

// What the client sends and what the server sends under a command.
const BODIES = {
  AUTH: ['AuthReq', 'AuthResp'],
  LOGOUT: ['LogoutReq', 'LogoutResp'],
  KICKOUT: ['ErrorOnly', 'Kickout'],
  NOOP: ['ErrorOnly', 'ErrorOnly'],
  C2S: ['C2SReq', 'C2SResp'],
  S2C: ['PushAck', 'S2CPush'],
  C2C_SEND: ['C2CSendReq', 'C2CSendResp'],
  C2C_PUSH: ['PushAck', 'C2CPush'],
  C2G_SEND: ['C2GSendReq', 'C2GSendResp'],
  C2G_PUSH: ['PushAck', 'C2GPush'],
  PULL: ['PullReq', 'PullResp'],
  SYNC_NOTIFY: ['ErrorOnly', 'SyncNotify'],
  SENT_PUSH: ['PushAck', 'PullMsg'],
  CTRL_SEND: ['CtrlSendReq', 'CtrlSendResp'],
  CTRL_PUSH: ['PushAck', 'CtrlPush'],
};
const OPTIONS = new Set([...Object.keys(CORE_DEFAULTS), 'heldInbox', 'heldOutbox', 'heldGroups']);
const BESIDE = new Set(['answers', 'body', 'raw', 'expect', 'held', 'state', 'note']);

const bytes = (text) => new TextEncoder().encode(text);
const text = (content) => new TextDecoder().decode(content);
const read = (file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));

// Bytes are text, or a body of their own: {"GroupOp": {…}}.
function bytesOf(value) {
  if (typeof value === 'string') return bytes(value);
  const [[name, fields]] = Object.entries(value);
  return encode(name, fields);
}

function encode(name, fields) {
  const type = schema.lookupType(name);
  const filled = (of, value) => {
    if (of.type === 'bytes') return bytesOf(value);
    const inner = of.resolve().resolvedType;
    return inner instanceof protobuf.Type ? fill(inner, value) : value;
  };
  const fill = (of, values) => Object.fromEntries(Object.entries(values).map(([key, value]) => {
    const field = of.fields[key];
    assert.ok(field, `${of.name} has no field ${key}`);
    return [key, field.repeated ? value.map((one) => filled(field, one)) : filled(field, value)];
  }));
  return type.encode(type.fromObject(fill(type, fields))).finish();
}

// Fails unless the bytes are a body with these fields. Those that are not named do not matter.
function compare(name, body, expected, where) {
  const type = schema.lookupType(name);
  const same = (of, actual, wanted, path) => {
    if (of.type === 'bytes') {
      if (typeof wanted === 'string') assert.equal(text(actual), wanted, path);
      else compare(Object.keys(wanted)[0], actual, Object.values(wanted)[0], path);
    } else if (of.resolve().resolvedType instanceof protobuf.Type) {
      match(of.resolvedType, actual, wanted, path);
    } else {
      assert.equal(actual, wanted, path);
    }
  };
  const match = (of, actual, wanted, path) => {
    for (const [key, value] of Object.entries(wanted)) {
      const field = of.fields[key];
      const at = `${path} ${key}`;
      assert.ok(field, `${of.name} has no field ${key}`);
      if (!field.repeated) {
        same(field, actual[key], value, at);
        continue;
      }
      assert.equal(actual[key].length, value.length, `${at}: elements`);
      value.forEach((one, index) => same(field, actual[key][index], one, `${at}[${index}]`));
    }
  };
  match(type, type.toObject(type.decode(body), { defaults: true, longs: Number, enums: String }), expected, where);
}

function failureNamed(code) {
  assert.ok(`ERROR_CODE_${code}` in ErrorCode, `no code ${code}`);
  return failure(code, 'as the scenario says');
}

function numbered(fields) {
  return { clientMsgId: fields.id, ...(fields.deadline === undefined ? {} : { deadline: fields.deadline }) };
}

// Plays the steps of one scenario, after those of the scenario that it follows.
class Player {
  #now = 3_600_000;
  #core;
  #happened = [];
  #seqs = {}; // of packets that an `as` names
  #sendNames = []; // by id, from 1
  #reported; // what the application knows to be held

  #actions = {
    start: () => this.#core.start(this.#now),
    stop: () => this.#core.stop(this.#now),
    pull: () => this.#core.pull(this.#now),
    hurry: () => this.#core.hurry(this.#now),
    connected: (token) => this.#core.connected(token, 1, this.#now),
    disconnected: () => this.#core.disconnected(failureNamed('UNAVAILABLE'), this.#now),
    refuse: (code) => this.#core.refuse(failureNamed(code)),
    time: (ms) => this.#pass(ms),
    bytes: (count) => this.#core.onBytes(count, this.#now),
    packet: (command, step) => this.#receive(command, step),
    send: (fields) => this.#send(fields, requests.toUser(fields.to, bytes(fields.content), {})),
    upload: (fields) => this.#send(fields, requests.toService(fields.destination, bytes(fields.content))),
    send_group: (fields) => this.#send(fields, requests.toGroup(BigInt(fields.group), bytes(fields.content), {})),
    group: (fields) => {
      assert.ok(`CTRL_TYPE_${fields.type}` in CtrlType, `no type ${fields.type}`);
      this.#send(fields, requests.control(CtrlType[`CTRL_TYPE_${fields.type}`], BigInt(fields.group ?? 0), fields.op ?? {}));
    },
  };

  constructor(scenario) {
    const options = Object.fromEntries(Object.entries(scenario.options ?? {}).map(([name, value]) => {
      const key = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
      assert.ok(OPTIONS.has(key), `unknown option ${name}`);
      return [key, key === 'heldGroups' ? Object.entries(value).map(([id, seq]) => [BigInt(id), seq]) : value];
    }));
    this.#core = new ClientCore({ ...CORE_DEFAULTS, uid: 'alice', deviceId: 'd1', ...options }, () => 0.5);
    this.#reported = this.#core.held;
    if (scenario.after) this.play(read(`${scenario.after}.json`));
  }

  play(scenario) {
    scenario.steps.forEach((step, index) => {
      const actions = Object.keys(step).filter((key) => !BESIDE.has(key));
      const where = `step ${index + 1} ${JSON.stringify(step)}`;
      assert.ok(actions.length <= 1, `${where}: more than one thing in a step`);
      for (const name of actions) {
        assert.ok(this.#actions[name], `${where}: unknown step ${name}`);
        this.#actions[name](step[name], step);
      }
      this.#collect();
      this.#check(step, where);
    });
  }

  #send(fields, request) {
    this.#sendNames.push(fields.id);
    this.#core.send(this.#sendNames.length, request, numbered(fields), this.#now);
  }

  // To each moment at which the client wants to be called.
  #pass(ms) {
    const end = this.#now + ms;
    while (this.#core.nextWake() <= end) {
      this.#now = Math.max(this.#now, this.#core.nextWake());
      this.#core.onTime(this.#now);
    }
    this.#now = end;
  }

  #receive(command, step) {
    assert.ok(BODIES[command], `no command ${command}`);
    const body = step.raw === undefined ? encode(BODIES[command][1], step.body ?? {}) : bytes(step.raw);
    const seq = step.answers === undefined ? 0 : this.#seqs[step.answers];
    assert.notEqual(seq, undefined, `nothing was sent as ${step.answers}`);
    this.#core.onPacket({ command: Command[`COMMAND_${command}`], seq, body }, this.#now);
  }

  #collect() {
    for (const output of this.#core.take()) {
      if (output.kind === 'write') this.#notePacket(decodePacket(output.packet));
      else if (output.kind === 'held') this.#reported = output.held;
      else this.#happened.push({ what: this.#plain(output) });
    }
  }

  #notePacket(packet) {
    const name = Command[packet.command].replace('COMMAND_', '');
    this.#happened.push({ what: { packet: name }, packet, type: BODIES[name][0] });
    if (BODIES[name][0] !== 'PushAck') return;
    // What is acknowledged has been reported as held before.
    const ack = schema.PushAck.toObject(schema.PushAck.decode(packet.body), { defaults: true, longs: Number });
    assert.ok(ack.seq <= this.#reported.inbox, 'acknowledged before it is held');
    assert.ok(ack.outbox_seq <= this.#reported.outbox, 'acknowledged before it is held');
    const group = this.#reported.groups.get(BigInt(ack.group_id));
    assert.ok(group === undefined || ack.group_seq <= group, 'acknowledged before it is held');
  }

  #plain(output) {
    switch (output.kind) {
      case 'connect':
      case 'close':
      case 'synced':
        return { [output.kind]: {} };
      case 'state':
        return { state: output.state, code: output.reason.code };
      case 'kicked':
        return { kicked: { reason: output.kick.reason, will_reconnect: output.kick.willReconnect } };
      case 'sendDone': {
        const id = this.#sendNames[output.id - 1];
        if (output.failure) return { sent: { id, code: output.failure.code } };
        const { msgId, outboxSeq, attempts, result } = output.receipt;
        return {
          sent: {
            id, code: 'OK', msg_id: Number(msgId), outbox_seq: outboxSeq, attempts, group: Number(result?.group?.groupId ?? 0),
          },
        };
      }
      case 'deliver': {
        const { kind, from, to, groupId, content, msgId, seq, groupSeq, msgType, clientMsgId, mentions, sent, own } = output.message;
        return {
          message: {
            kind, from, to, group: Number(groupId), content: text(content), msg_id: Number(msgId), seq, group_seq: groupSeq,
            msg_type: msgType, client_msg_id: clientMsgId, mentions, sent, own,
          },
        };
      }
    }
    throw new Error(`an output that no scenario knows: ${output.kind}`);
  }

  #check(step, where) {
    const expected = step.expect ?? [];
    const happened = this.#happened;
    this.#happened = [];
    const all = happened.map(({ what }) => `\n  ${JSON.stringify(what)}`).join('');
    assert.equal(happened.length, expected.length, `${where}: what happened:${all}`);
    happened.forEach((one, index) => this.#same(one, expected[index], `${where}: output ${index + 1} of${all}\n`));
    if (step.state !== undefined) assert.equal(this.#core.state, step.state, where);
    if (step.held !== undefined) partial(this.#held(), step.held, `${where}: held`);
  }

  #same({ what, packet, type }, expected, where) {
    const { body, as, ...rest } = expected;
    partial(what, rest, where);
    if (!packet) return;
    if (as !== undefined) this.#seqs[as] = packet.seq;
    compare(type, packet.body, body ?? {}, where);
  }

  #held() {
    const { inbox, outbox, groups } = this.#core.held;
    return { inbox, outbox, groups: Object.fromEntries([...groups].map(([id, seq]) => [id.toString(), seq])) };
  }
}

// Fields of objects that are not named do not matter.
function partial(actual, expected, where) {
  if (expected === null || typeof expected !== 'object' || Array.isArray(expected)) {
    assert.deepEqual(actual, expected, where);
    return;
  }
  for (const [key, value] of Object.entries(expected)) {
    assert.ok(Object.hasOwn(actual ?? {}, key), `${where}: there is no ${key}`);
    partial(actual[key], value, `${where} ${key}`);
  }
}

const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json')).sort();

test('the scenarios are there', () => assert.ok(files.length >= FEWEST_SCENARIOS));

for (const file of files) {
  test(`scenario ${file.replace('.json', '')}`, () => {
    const scenario = read(file);
    assert.ok(scenario.about.length > 0 && scenario.steps.length > 0);
    new Player(scenario).play(scenario);
  });
}
