import { waitFor } from '../../test/lab/wait.ts';
import { doors } from './macvlan-builtin.ts';
import type { Stage } from './stage.ts';
import { step } from './terminal.ts';

/** Deletes the shim as a careless administrator does, and waits until the host reaches its container again. */
export async function deleteShim(stage: Stage, container: string): Promise<void> {
  const shim = (await stage.tsnet.links()).find(link => link.startsWith('tss'));
  if (shim === undefined) throw new Error('demo: the host has no shim');
  const address = await stage.addressOf(container);
  // measured inside the host, so that the start of programs in it does not count
  const line = `ip link del ${shim}
    now() { echo "\${EPOCHREALTIME/./}"; }
    start=$(now)
    until [ -n "$(ip route show ${address})" ] && busybox ping -c 1 -W 1 ${address} > /dev/null; do
      [ $(($(now) - start)) -lt 5000000 ] || exit 1
    done
    echo $((($(now) - start) / 1000))`;
  await step(
    `ip link del ${shim}`,
    () => stage.host.sh(line),
    ({ stdout }) => `deleted by hand, repaired: the host reaches ${container} again after ${stdout} ms`,
  );
}

/** Pulls the host's plug and switches it on again; all must be back without anybody's help. */
export async function powerFailure(stage: Stage): Promise<void> {
  const before = await addresses(stage);
  await step(
    '(power failure of the host, and boot)',
    async () => {
      await stage.host.crash();
      await stage.host.boot();
      await stage.startServices();
      await waitFor(async () => (await addresses(stage)).length === before.length, {
        timeout: 20_000,
        what: 'every container to be back',
      });
      const after = await addresses(stage);
      const [lan1 = ''] = after.filter(one => one.startsWith('lan1 ')).map(one => one.split(' ')[1]);
      await waitFor(async () => (await doors(stage, lan1)).host, { what: 'the host to reach lan1' });
      return after;
    },
    after =>
      `${after.length} containers are back${after.join() === before.join() ? ', each at its address' : ''}, and the host reaches lan1`,
  );
}

/** `NAME ADDRESS` of every container that runs. */
async function addresses(stage: Stage): Promise<string[]> {
  return (await stage.attachments())
    .filter(({ address }) => address !== '')
    .map(({ container, address }) => `${container} ${address}`)
    .sort();
}
