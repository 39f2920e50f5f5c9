// A link between a client and a gate that carries so many bytes a second each way, and keeps few on their way.
import { connect, createServer } from 'node:net';

const TURN_MS = 20;

export class SlowProxy {
  port = 0;
  #server;
  #sockets = new Set();

  static async start(to, bytesPerSecond) {
    const proxy = new SlowProxy();
    proxy.#server = createServer((client) => {
      const gate = connect({ port: to, host: '127.0.0.1' });
      proxy.#carry(client, gate, bytesPerSecond);
      proxy.#carry(gate, client, bytesPerSecond);
    });
    await new Promise((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    proxy.port = proxy.#server.address().port;
    return proxy;
  }

  get url() {
    return `ws://127.0.0.1:${this.port}/`;
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  // A turn's share at a time; what has no place waits where it came from.
  #carry(from, to, bytesPerSecond) {
    this.#sockets.add(from);
    const share = Math.max(1, Math.floor(bytesPerSecond * TURN_MS / 1_000));
    let waiting = [];
    from.on('data', (bytes) => {
      for (let at = 0; at < bytes.length; at += share) waiting.push(bytes.subarray(at, at + share));
      from.pause();
    });
    const turn = setInterval(() => {
      const next = waiting.shift();
      if (next) to.write(next);
      else from.resume();
    }, TURN_MS);
    const end = () => {
      clearInterval(turn);
      waiting = [];
      to.destroy();
      this.#sockets.delete(from);
    };
    from.on('close', end);
    from.on('error', end);
  }
}
