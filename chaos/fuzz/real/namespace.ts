import { readFileSync, readlinkSync } from 'node:fs';
import { execa } from 'execa';

const OWN = '/proc/self/ns/net';
/** Names the namespace that the fuzzer must not be in. */
const OUTSIDE = 'TSNET_FUZZ_OUTSIDE';

/** Whether this process is in the namespace that runAgain() has made. @throws Error when it should be and is not */
export function isInside(): boolean {
  const outside = process.env[OUTSIDE];
  if (outside === undefined) return false;
  if (outside === readlinkSync(OWN)) throw new Error('fuzz: this is not a namespace of its own');
  return true;
}

/**
 * Runs the program again in a network and a mount namespace of its own, which go with it.
 * @param main path of the program
 * @returns its exit code
 */
export async function runAgain(main: string): Promise<number> {
  // With processes of its own as well: none outlives this one, however it ends.
  const spaces = [
    '--net',
    '--mount',
    '--propagation',
    'private',
    '--pid',
    '--fork',
    '--mount-proc',
    '--kill-child',
  ];
  const args = [...spaces, process.execPath, main, ...process.argv.slice(2)];
  const env = { [OUTSIDE]: readlinkSync(OWN) };
  const again = execa('unshare', args, { stdio: 'inherit', env, reject: false });
  // unshare(1) itself does not pass them on.
  const children = () => readFileSync(`/proc/${again.pid}/task/${again.pid}/children`, 'utf8').split(' ');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      for (const child of children()) if (child !== '') process.kill(Number(child), signal);
    });
  }
  return (await again).exitCode ?? 1;
}

/** Sandboxes that are there, by name below /run/netns. */
export const SANDBOXES = ['a', 'b', 'c', 'd'] as const;

/** Makes the namespace a host: links to hang networks on, addresses to publish on, sandboxes. */
export async function furnish(): Promise<void> {
  // Of its own namespace: /sys shows the links of the one that mounted it.
  await execa('mount', ['-t', 'sysfs', 'none', '/sys']);
  await execa('mount', ['-t', 'tmpfs', 'none', '/run']);
  const input = [
    'link set lo up',
    'link add eth0 type veth peer name wire0',
    'link set wire0 up',
    'link set eth0 up',
    'address add 198.18.0.5/24 dev eth0',
    'address add 2001:db8::5/64 dev eth0 nodad',
    'link add eth1 type veth peer name wire1',
    'link set eth1 up',
    'link add eth2 type veth peer name wire2',
    'link add br-lan type bridge',
    'link set br-lan up',
    'link add port0 type veth peer name wire3',
    'link set port0 master br-lan',
    'link set port0 up',
    ...SANDBOXES.map(name => `netns add ${name}`),
  ];
  await execa('ip', ['-batch', '-'], { input: `${input.join('\n')}\n` });
}
