// A stretch of network that can be cut: datagrams between a browser and a port of the server.
import { createSocket } from 'node:dgram';

export class Relay {
  /** Whether nothing gets through. */
  cut = false;
  #ways = new Map();
  #ports = new Map();
  #sockets = new Set();

  /** The port at which `port` of the server is reached through here. */
  async to(port) {
    const had = this.#ports.get(port);
    if (had) return had;
    const near = await this.#bound();
    const mine = near.address().port;
    this.#ports.set(port, mine);
    near.on('message', async (message, from) => {
      if (this.cut) return;
      const name = `${from.address}:${from.port}>${port}`;
      if (!this.#ways.has(name)) {
        this.#ways.set(name, this.#bound().then((far) => {
          far.on('message', (answer) => !this.cut && near.send(answer, from.port, from.address));
          return far;
        }));
      }
      (await this.#ways.get(name)).send(message, port, '127.0.0.1');
    });
    return mine;
  }

  async #bound() {
    const socket = createSocket('udp4');
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    await new Promise((done) => socket.bind(0, '127.0.0.1', done));
    return socket;
  }

  close() {
    for (const socket of this.#sockets) socket.close();
  }
}
