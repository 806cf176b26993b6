import { placeKey } from '../../host-state/keys.ts';
import type { Place } from '../../host-state/types.ts';
import { hasCode } from '../netlink/netlink-error.ts';
import { NamespaceError } from '../netns.ts';
import { macBytes } from '../rtnetlink/notation.ts';
import { FrameSocket } from './frame-socket.ts';
import { framesOf } from './frames.ts';
import { Stoppable } from './stoppable.ts';

export interface Advertisement extends Place {
  /** Its other end on the host, if that is the port of a bridge: what is sent before the port forwards is lost. */
  readonly port?: string;
  /** The interface in there, which must be up. */
  readonly index: number;
  /** What it has: `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string;
  /** Bare or CIDR, of both families. None: nothing is sent. */
  readonly addresses: readonly string[];
  /** How often each address is told in all; 0: never. */
  readonly count: number;
  /** Milliseconds from one time to the next. */
  readonly intervalMs: number;
}

type Forwards = (port: string) => Promise<boolean>;

interface Run {
  readonly of: Advertisement;
  readonly waiting: Stoppable;
  readonly ended: Promise<void>;
}

/** A parent without a cable gives its macvlan links no carrier, and STP blocks a port for half a minute: so there is an end to the waiting. */
const CARRIER_WAIT_MS = 200;
const CARRIER_POLL_MS = 2;

/** The engine's next call about the endpoint comes at once, and would have to wait. */
const AFTER_CALL_MS = 5;

/**
 * Tells the neighbours of an interface which MAC its addresses have now, as engines from 28 on do for those that they
 * move (moby libnetwork/osl advertiseAddrs): addresses are given out again soon, and who has a former holder's MAC in
 * his cache would not reach the new one until the entry is out of date. The kernel's own arp_notify and
 * ndisc_notify are off by default and tell it once.
 */
export class Advertiser {
  readonly #onError: (error: unknown) => void;
  readonly #forwards: Forwards;
  readonly #runs = new Set<Run>();

  /**
   * @param onError hears of what could not be sent; what comes of an interface that is gone or down is no error
   * @param forwards whether a port of a bridge forwards, or is gone
   */
  constructor(onError: (error: unknown) => void, forwards: Forwards = async () => true) {
    this.#onError = onError;
    this.#forwards = forwards;
  }

  /**
   * Tells it for the first time some milliseconds later, as soon as the interface has its carrier; and then in the
   * background, which does not keep the process alive. It ends early, and silently, when the interface is gone, down,
   * or has another MAC. Takes the place of an earlier one of the same interface. Never throws.
   */
  advertise(advertisement: Advertisement): void {
    const { addresses, count } = advertisement;
    this.stop(advertisement);
    if (addresses.length === 0 || count < 1) return;
    const waiting = new Stoppable();
    const ended = tell(advertisement, waiting, this.#forwards)
      .catch(error => {
        if (!waiting.isStopped && !isGone(error)) this.#onError(error);
      })
      .finally(() => this.#runs.delete(run));
    const run = { of: advertisement, waiting, ended };
    this.#runs.add(run);
  }

  /**
   * Ends what is under way for an interface that is about to leave its sandbox, which could else contradict the next
   * holder of its addresses.
   */
  stop(place: Place): void {
    const where = placeKey(place);
    this.#stop(({ of }) => placeKey(of) === where);
  }

  /** Resolves when nothing is left to be told, and all sockets are closed. */
  async settled(): Promise<void> {
    await Promise.all([...this.#runs].map(run => run.ended));
  }

  /** Ends all that is under way; {@link settled} then waits for the sockets only. */
  close(): void {
    this.#stop(() => true);
  }

  #stop(which: (run: Run) => boolean): void {
    for (const run of this.#runs) if (which(run)) run.waiting.stop();
  }
}

async function tell(advertisement: Advertisement, waiting: Stoppable, forwards: Forwards): Promise<void> {
  const { addresses, count, intervalMs, port } = advertisement;
  const mac = macBytes(advertisement.mac);
  const frames = framesOf(mac, addresses);
  const isReady = async () => port === undefined || (await forwards(port));
  for (let told = 0; told < count; told++) {
    if (!(await waiting.pause(told === 0 ? AFTER_CALL_MS : intervalMs))) return;
    if (!(await send(advertisement, mac, frames, isReady, waiting))) return;
  }
}

/**
 * By a socket of its own each time: kept open, it would keep the sandbox alive after its container has ended.
 * @returns whether the interface still has this MAC, and is not leaving
 */
async function send(
  { sandbox, index }: Advertisement,
  mac: Uint8Array,
  frames: readonly Buffer[],
  isReady: () => Promise<boolean>,
  waiting: Stoppable,
): Promise<boolean> {
  const socket = new FrameSocket(sandbox, index);
  try {
    const end = performance.now() + CARRIER_WAIT_MS;
    while ((socket.awaitsCarrier() || !(await isReady())) && performance.now() < end) {
      if (!(await waiting.pause(CARRIER_POLL_MS))) return false;
    }
    if (waiting.isStopped) return false;
    const current = socket.hardwareAddress();
    if (current === undefined || Buffer.compare(current, mac) !== 0) return false;
    for (const frame of frames) await socket.send(frame);
    return true;
  } finally {
    await socket.close();
  }
}

const isGone = (error: unknown): boolean =>
  error instanceof NamespaceError
    ? error.problem !== 'denied'
    : hasCode(error, 'ENODEV', 'ENXIO', 'ENETDOWN');
