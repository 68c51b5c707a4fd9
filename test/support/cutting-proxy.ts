/** Stands between a program and its PostgreSQL, and cuts the line where a test says so. */
import { type AddressInfo, createServer, connect, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** At the next COMMIT: before the server has it, or before the program hears of it. */
  cutNext(when: 'before' | 'after'): void;
  /** Says nothing any more on the connections that there are, and does not close them; new ones are served. */
  stall(): void;
  /** How often it has cut. */
  readonly cuts: number;
  close(): Promise<void>;
}

const commit = Buffer.from('COMMIT\0');
/** The server's answer to it: a command complete with this word. */
const committed = Buffer.from('COMMIT\0');

export async function openCuttingProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<CuttingProxy> {
  let next: 'before' | 'after' | undefined;
  let cuts = 0;
  const sockets = new Set<Socket>();
  const stalled = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target.port, target.host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    const cut = () => {
      next = undefined;
      cuts += 1;
      near.destroy();
      far.destroy();
    };
    near.on('data', (bytes: Buffer) => {
      if (stalled.has(near)) return;
      if (next === 'before' && bytes.includes(commit)) cut();
      else far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      if (stalled.has(near)) return;
      if (next === 'after' && bytes.includes(committed)) cut();
      else near.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cutNext: (when) => {
      next = when;
    },
    stall: () => {
      for (const socket of sockets) stalled.add(socket);
    },
    get cuts() {
      return cuts;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
