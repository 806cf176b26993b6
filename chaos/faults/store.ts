import type { Fault, FaultTarget } from '../world/types.ts';

/**
 * The disk of the state directory is too small for what comes: the state is moved to a disk of its own, which is then filled
 * up. tsnet refuses what it has no room for, and goes on by itself once there is room.
 */
export const diskFull: Fault = {
  kind: 'store-disk-full',
  strike: async target => {
    const back = await onDiskOfItsOwn(target);
    const ballast = `${target.daemon.stateDir}/ballast`;
    await target.host.sh(`cat /dev/zero > ${ballast} 2> /dev/null`, { reject: false });
    return async () => {
      await target.host.exec('rm', [ballast]);
      await back();
    };
  },
};

/** The disk of the state directory becomes read-only, as the kernel makes one that has errors, and tsnet is started on it. */
export const diskReadOnly: Fault = {
  kind: 'store-read-only',
  strike: async target => {
    const { host, daemon } = target;
    const dir = daemon.stateDir;
    await daemon.kill();
    await host.sh(`mountpoint -q ${dir} || mount --bind ${dir} ${dir}; mount -o remount,bind,ro ${dir}`);
    await daemon.start();
    return async () => {
      await host.sh(`mount -o remount,bind,rw ${dir}`);
    };
  },
};

/** The state file is damaged while tsnet is dead, as by a crash of the host or a bad disk, and tsnet is started on it. */
const damaged = (kind: string, damage: (file: string, target: FaultTarget) => string): Fault => ({
  kind,
  strike: async target => {
    const { host, daemon } = target;
    await daemon.kill();
    await host.sh(damage(`${daemon.stateDir}/tsnet.db`, target));
    await daemon.start();
    return async () => undefined;
  },
});

export const fileTruncated = damaged(
  'store-truncated',
  (file, { random }) => `truncate -s $(($(stat -c %s ${file}) * ${random(100)} / 100)) ${file}`,
);

const NOISE = 4096;

/** A page's worth of noise at some place in the file. */
export const fileCorrupted = damaged(
  'store-corrupted',
  (file, { random }) =>
    `pages=$(($(stat -c %s ${file}) / ${NOISE}))
     dd if=/dev/urandom of=${file} bs=${NOISE} count=1 conv=notrunc status=none seek=$((${random(1000)} * pages / 1000))`,
);

export const fileRemoved = damaged('store-removed', file => `rm ${file}`);

export const STORE_FAULTS: readonly Fault[] = [
  diskFull,
  diskReadOnly,
  fileTruncated,
  fileCorrupted,
  fileRemoved,
];

/** Room on the disk that is made for the state, in KiB, beyond what the state takes already. */
const ROOM = 256;

/**
 * Moves the state to a disk of its own, for which tsnet is killed and started.
 * @returns moves it back in the same way
 */
async function onDiskOfItsOwn({ host, daemon }: FaultTarget): Promise<() => Promise<void>> {
  const dir = daemon.stateDir;
  await daemon.kill();
  await host.sh(`
    mkdir -p /run/state-disk
    mount -t tmpfs -o mode=700,size=$(($(du -sk ${dir} | cut -f1) + ${ROOM}))k none /run/state-disk
    cp -a ${dir}/. /run/state-disk
    mount --bind /run/state-disk ${dir}`);
  await daemon.start();
  return async () => {
    await daemon.kill();
    await host.sh(`
      umount ${dir}
      find ${dir} -mindepth 1 -delete
      cp -a /run/state-disk/. ${dir}
      umount /run/state-disk`);
    await daemon.start();
  };
}
