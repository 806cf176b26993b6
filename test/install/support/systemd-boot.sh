#!/usr/bin/env bash
# Boots Debian's systemd as process 1 of pid, mount, ipc and cgroup namespaces inside a lab host, whose network it shares. It
# dies with the host. Nothing of it reaches the machine below: no device nodes but the usual few, kernel parameters other
# than net/ read-only, and no unit starts but the journal, the bus, and what is installed here later.
#
#   systemd-boot.sh           run in the lab host; becomes the parent of process 1
set -euo pipefail

[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || pure=1
if [ "${1:-}" != inside ]; then
  for dir in $([ -n "${pure:-}" ] && echo /sys/fs/cgroup || echo /sys/fs/cgroup/*/); do
    mkdir -p "$dir/machine"
    [ -z "${pure:-}" ] || for name in $(cat "$dir/cgroup.controllers"); do
      echo "+$name" > "$dir/cgroup.subtree_control" || true
    done
    echo $$ > "$dir/machine/cgroup.procs"
  done
  exec unshare --cgroup --mount --pid --ipc --fork --kill-child=SIGKILL --propagation private bash "$0" inside
fi

mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,rw /proc/sys/net
mount -t tmpfs -o mode=755 none /run

if [ -n "${pure:-}" ]; then
  legacy=
  mount -t cgroup2 none /sys/fs/cgroup
else
  # Version 1 alone: a hierarchy of version 2 beside it is the whole machine's.
  legacy='systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1'
  # systemd mounts what controllers it finds here, which would make hierarchies for the whole machine, too.
  sed 's/\t1$/\t0/' /proc/cgroups > /run/cgroups
  mount --bind /run/cgroups /proc/cgroups
  mounts=$(awk '$3 == "cgroup" { n = split($2, path, "/"); print path[n], $4 }' /proc/self/mounts)
  mount -t tmpfs -o mode=755 none /sys/fs/cgroup
  while read -r name options; do
    hierarchy=$(grep -o 'name=[^,]*' <<< "$options" || true)
    mkdir "/sys/fs/cgroup/$name"
    mount -t cgroup -o "${hierarchy:+none,}${hierarchy:-$name}" none "/sys/fs/cgroup/$name"
  done <<< "$mounts"
fi

mkdir /run/dev
mount -t tmpfs -o mode=755 none /run/dev
for node in null zero full random urandom tty; do cp -a "/dev/$node" /run/dev/; done
ln -s /proc/self/fd /run/dev/fd
ln -s pts/ptmx /run/dev/ptmx
mkdir /run/dev/pts /run/dev/shm
mount -t devpts -o newinstance,mode=620,ptmxmode=666 none /run/dev/pts
mount -t tmpfs -o mode=1777 none /run/dev/shm
mount --rbind /run/dev /dev
umount -R /run/dev

keep='systemd-journald|systemd-journal-flush|systemd-tmpfiles-setup\.|dbus'
find /usr/lib/systemd/system -path '*.wants/*' | { grep -Ev "/($keep)[^/]*\$" || true; } | xargs -r rm
if [ ! -e /etc/machine-is-lab ]; then
  # The machine's own choice of units, at the first boot only: later ones are what a test has enabled.
  find /etc/systemd/system -path '*.wants/*' -exec rm {} +
  hostname > /etc/hostname
  echo 0123456789abcdef0123456789abcdef > /etc/machine-id
  mkdir -p /etc/systemd/journald.conf.d
  printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' > /etc/systemd/journald.conf.d/lab.conf
  # Below /tmp lies the lab's own directory.
  ln -sf /dev/null /etc/tmpfiles.d/tmp.conf
  rm -f /usr/sbin/policy-rc.d # a container image may forbid all services
  : > /etc/machine-is-lab
fi

mount --make-rshared /
# shellcheck disable=SC2086
exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /usr/lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=no $legacy < /dev/null
