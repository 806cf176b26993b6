import { close } from 'node:fs';
import { IFREQ } from '../ifreq.ts';
import { bind, getsockname, ioctl, sendOnWorker, socket, stableBuffer } from '../libc.ts';
import { SOCK_CLOEXEC, SOCK_RAW } from '../netlink/constants.ts';
import { NetlinkError } from '../netlink/netlink-error.ts';
import { NetworkNamespace } from '../netns.ts';

const AF_PACKET = 17;
/** struct sockaddr_ll of <linux/if_packet.h>, and where its parts are. */
const SOCKADDR_LL = { length: 20, ifindex: 4, macLength: 11, mac: 12 };

/** Numbers of <linux/sockios.h> and <net/if.h>. */
const SIOCGIFNAME = 0x8910;
const SIOCGIFFLAGS = 0x8913;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;

/** Sends Ethernet frames through one interface of a network namespace (packet(7)). */
export class FrameSocket {
  readonly #fd: number;
  readonly #index: number;

  /**
   * @param path of the namespace, which lives at least until the socket is closed
   * @param index of the interface in there
   * @throws NamespaceError
   * @throws NetlinkError, of code ENODEV where there is no such interface
   */
  constructor(path: string, index: number) {
    this.#index = index;
    const namespace = NetworkNamespace.open(path);
    try {
      // Protocol 0: nothing is received, so nothing has to be read, and bind() need not wait for a grace period.
      const fd = namespace.run(() => socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
      this.#fd = NetlinkError.check(fd, 'socket AF_PACKET');
    } finally {
      namespace.close();
    }
    const address = Buffer.alloc(SOCKADDR_LL.length);
    address.writeUInt16LE(AF_PACKET);
    address.writeInt32LE(index, SOCKADDR_LL.ifindex);
    const result = bind(this.#fd, address);
    if (result < 0) close(this.#fd);
    NetlinkError.check(result, `bind AF_PACKET ${index}`);
  }

  /**
   * The hardware address that the interface has now.
   * @returns undefined when the interface has left the namespace since, also where another one has its index now
   */
  hardwareAddress(): Uint8Array | undefined {
    const address = Buffer.alloc(SOCKADDR_LL.length);
    NetlinkError.check(getsockname(this.#fd, address), 'getsockname AF_PACKET');
    if (address.readInt32LE(SOCKADDR_LL.ifindex) <= 0) return undefined;
    return address.subarray(SOCKADDR_LL.mac, SOCKADDR_LL.mac + address.readUInt8(SOCKADDR_LL.macLength));
  }

  /**
   * Whether the interface is up and the kernel has not seen to its carrier yet, which it does a moment later
   * (linkwatch): until then it drops what is sent, and a bridge does not forward for the other end of a veth pair.
   * @throws NetlinkError, of code ENODEV when the interface is gone
   */
  awaitsCarrier(): boolean {
    const request = Buffer.alloc(IFREQ.length);
    request.writeInt32LE(this.#index, IFREQ.value);
    NetlinkError.check(ioctl(this.#fd, SIOCGIFNAME, request), `SIOCGIFNAME ${this.#index}`);
    NetlinkError.check(ioctl(this.#fd, SIOCGIFFLAGS, request), `SIOCGIFFLAGS ${this.#index}`);
    const flags = request.readUInt16LE(IFREQ.value);
    return (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) === 0;
  }

  /**
   * On a worker thread: a broadcast is handed to every port of the bridge within send(2), to 1,000 of them in 2 to 3 ms.
   * @param frame with its Ethernet header
   * @throws NetlinkError, of code ENXIO when the interface is gone and ENETDOWN when it is down
   */
  async send(frame: Buffer): Promise<void> {
    const stable = stableBuffer(frame.length);
    stable.set(frame);
    NetlinkError.check(await sendOnWorker(this.#fd, stable), 'send AF_PACKET');
  }

  /** On a worker thread: the kernel waits for an RCU grace period (packet_release()), 10 ms and more. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => close(this.#fd, error => (error ? reject(error) : resolve())));
  }
}
