import { closeSync } from 'node:fs';
import { recv, socket } from '../../../src/kernel/libc.ts';
import { MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_RAW } from '../../../src/kernel/netlink/constants.ts';
import { NetworkNamespace } from '../../../src/kernel/netns.ts';
import { type TestNamespace, testNamespace } from '../namespace.ts';
import { waitFor } from '../wait-for.ts';

const AF_PACKET = 17;
const ETH_P_ALL_BE = 0x0300;

/** What an ARP request or neighbour advertisement says: `198.18.0.2`'s bytes in hex, and the MAC. */
export interface Told {
  readonly address: string;
  readonly mac: string;
}

/** A sandbox whose interface `c0` is one end of a veth pair, and a neighbour who has the other, `n0`. */
export interface TestLink extends AsyncDisposable {
  readonly sandbox: TestNamespace;
  readonly neighbour: TestNamespace;
  /** Of `c0`. */
  readonly index: number;
  /** What the neighbour has been told since the link is there. */
  told(): readonly Told[];
  /** How many packet sockets are open in the sandbox. */
  sockets(): Promise<number>;
}

/** @param options.carrier false: the neighbour's end stays down */
export async function testLink(mac: string, { carrier = true } = {}): Promise<TestLink> {
  const [sandbox, neighbour] = await Promise.all([testNamespace(), testNamespace()]);
  const pid = neighbour.path.split('/')[2];
  await sandbox.sh(`ip link add c0 address ${mac} type veth peer name n0 netns ${pid}; ip link set c0 up`);
  const listener = listen(neighbour.path);
  if (carrier) await neighbour.ip('link', 'set', 'n0', 'up');
  const link = await waitFor('c0 is there, and running', async () => {
    const [c0] = await sandbox.json('link', 'show', 'c0');
    return !carrier || c0?.['operstate'] === 'UP' ? c0 : undefined;
  });
  return {
    sandbox,
    neighbour,
    index: Number(link['ifindex']),
    told: listener.told,
    sockets: async () => Number(await sandbox.sh('grep -vc ^sk /proc/net/packet || true')),
    async [Symbol.asyncDispose]() {
      listener.close();
      await Promise.all([sandbox[Symbol.asyncDispose](), neighbour[Symbol.asyncDispose]()]);
    },
  };
}

function listen(path: string) {
  const namespace = NetworkNamespace.open(path);
  const fd = namespace.run(() => socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, ETH_P_ALL_BE));
  namespace.close();
  const told: Told[] = [];
  const frame = Buffer.alloc(2000);
  return {
    told: () => {
      for (;;) {
        const length = recv(fd, frame, MSG_DONTWAIT);
        if (length < 0) return told;
        const one = read(frame.subarray(0, length));
        if (one) told.push(one);
      }
    },
    close: () => closeSync(fd),
  };
}

function read(frame: Buffer): Told | undefined {
  const hex = (from: number, length: number) => frame.toString('hex', from, from + length);
  if (hex(12, 2) === '0806') return { address: hex(38, 4), mac: hex(22, 6) };
  const isAdvertisement = hex(12, 2) === '86dd' && hex(20, 1) === '3a' && hex(54, 1) === '88';
  return isAdvertisement ? { address: hex(62, 16), mac: hex(80, 6) } : undefined;
}
