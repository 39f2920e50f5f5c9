// A gate and all behind it, in memory, on a free port: enough of them to test the client library over real sockets.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { decodePacket, encodePacket } from '../src/packet.js';
import { Command, ErrorCode, KickReason, int64, wire } from '../src/wire.js';

const text = (bytes) => new TextDecoder().decode(bytes);

export class FakeGate {
  port = 0;
  logins = 0;
  loseAnswers = 0; // of so many sends: stored, not answered, and the connection is cut
  acknowledged = new Map(); // uid to inbox seq
  #server = createServer((request, response) => this.#answerHttp(request, response));
  #sockets = new WebSocketServer({ server: this.#server });
  #sessions = new Map(); // socket to uid
  #inboxes = new Map();
  #stored = new Map(); // sender and client_msg_id to the answer
  #lastMsgId = 0;

  static async start() {
    const gate = new FakeGate();
    gate.#sockets.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => gate.#receive(socket, data, isBinary));
      socket.on('close', () => gate.#sessions.delete(socket));
    });
    await new Promise((resolve) => {
      gate.#server.listen(0, '127.0.0.1', resolve);
    });
    gate.port = gate.#server.address().port;
    return gate;
  }

  get url() {
    return `ws://127.0.0.1:${this.port}/`;
  }

  get base() {
    return `http://127.0.0.1:${this.port}`;
  }

  inbox(uid) {
    if (!this.#inboxes.has(uid)) this.#inboxes.set(uid, []);
    return this.#inboxes.get(uid);
  }

  cut() {
    for (const socket of this.#sessions.keys()) socket.terminate();
  }

  kick(uid, reason) {
    const body = wire.Kickout.encode({ reason: KickReason[`KICK_REASON_${reason}`] }).finish();
    for (const [socket, owner] of this.#sessions) {
      if (owner !== uid) continue;
      socket.send(encodePacket(200, Command.COMMAND_KICKOUT, 0, body));
      socket.close();
    }
  }

  sendText(uid) {
    for (const [socket, owner] of this.#sessions) if (owner === uid) socket.send('hello');
  }

  async stop() {
    this.cut();
    await new Promise((resolve) => {
      this.#sockets.close();
      this.#server.close(resolve);
      this.#server.closeAllConnections?.();
    });
  }

  #answerHttp(request, response) {
    const url = new URL(request.url, this.base);
    response.setHeader('Content-Type', 'application/json');
    const gates = [{ host: '127.0.0.1', port: this.port, transport: url.searchParams.get('transport') }];
    response.end(JSON.stringify({ gates, ttl_seconds: 60 }));
  }

  #receive(socket, data, isBinary) {
    const packet = isBinary ? decodePacket(new Uint8Array(data)) : undefined;
    if (!packet) return socket.close(1003);
    const reply = (body) => socket.send(encodePacket(200, packet.command, packet.seq, body));
    const uid = this.#sessions.get(socket);
    if (packet.command === Command.COMMAND_AUTH) return reply(this.#logIn(socket, packet.body));
    if (uid === undefined) return socket.close();
    switch (packet.command) {
      case Command.COMMAND_NOOP:
      case Command.COMMAND_LOGOUT:
        return reply(new Uint8Array(0));
      case Command.COMMAND_PULL:
        return reply(this.#pull(uid, wire.PullReq.decode(packet.body)));
      case Command.COMMAND_C2C_SEND:
        return this.#send(socket, uid, wire.C2CSendReq.decode(packet.body), reply);
      case Command.COMMAND_C2C_PUSH:
        this.acknowledged.set(uid, Number(wire.PushAck.decode(packet.body).seq));
    }
  }

  #logIn(socket, body) {
    const request = wire.AuthReq.decode(body);
    const uid = text(request.uid);
    this.logins += 1;
    if (text(request.token) !== `token of ${uid}`) {
      return wire.AuthResp.encode({ error: { code: ErrorCode.ERROR_CODE_UNAUTHENTICATED } }).finish();
    }
    this.#sessions.set(socket, uid);
    return wire.AuthResp.encode({
      session_id: int64(2n ** 63n + 5n), heartbeat_seconds: 270, inbox_seq: int64(this.inbox(uid).length),
    }).finish();
  }

  #pull(uid, request) {
    const offset = Number(request.offset);
    this.acknowledged.set(uid, Math.max(offset, this.acknowledged.get(uid) ?? 0));
    const rows = this.inbox(uid);
    return wire.PullResp.encode({
      msg: rows.slice(offset, offset + request.limit).map((row) => ({
        from: row.from, content: row.content, msg_id: int64(row.msgId), seq: int64(row.seq),
        cmd_id: Command.COMMAND_C2C_SEND, client_msg_id: row.clientMsgId,
      })),
      inbox_seq: int64(rows.length),
    }).finish();
  }

  #send(socket, uid, request, reply) {
    const key = `${uid}/${text(request.client_msg_id)}`;
    if (!this.#stored.has(key)) this.#stored.set(key, this.#store(uid, request));
    if (this.loseAnswers > 0) {
      this.loseAnswers -= 1;
      return socket.terminate();
    }
    reply(this.#stored.get(key));
  }

  #store(uid, request) {
    const to = text(request.to);
    const rows = this.inbox(to);
    this.#lastMsgId += 1;
    const row = {
      from: request.from, content: request.content, msgId: 2n ** 60n + BigInt(this.#lastMsgId), seq: rows.length + 1,
      clientMsgId: request.client_msg_id,
    };
    rows.push(row);
    const push = wire.C2CPush.encode({
      from: row.from, content: row.content, msg_id: int64(row.msgId), seq: int64(row.seq),
      client_msg_id: row.clientMsgId,
    }).finish();
    for (const [socket, owner] of this.#sessions) {
      if (owner === to) socket.send(encodePacket(200, Command.COMMAND_C2C_PUSH, 0, push));
    }
    return wire.C2CSendResp.encode({ msg_id: int64(row.msgId), timestamp: int64(Date.now()) }).finish();
  }
}
