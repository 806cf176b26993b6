#!/usr/bin/env bash
# Process 1 of one lab node, in namespaces of its own (mount, pid, net, uts, ipc, cgroup). It lays out the node's
# file system, says "ready" and then does nothing but reap orphans: killing it frees everything the node has.
#
#   node-init.sh NAME holder:LAB      the second word only marks the process, see remove.ts
#
# From the environment:
#   LAB_DIR      the node's directory on the machine, seen by the node at the same path
#   LAB_DISK     tmpfs: the disk dies with the node; dir: it lies in LAB_DIR/disk and outlives a crash
#   LAB_ENGINE   a directory whose programs are laid over the machine's own; may be empty
#   LAB_REPO     the project, seen read-only at the same path
#   LAB_BINDS    more directories or files of the machine, one a line
#   LAB_CGROUPS  hierarchies to mount, one a line: DIRECTORY TYPE OPTIONS; may be empty
set -euo pipefail

hostname "$1"
disk=$LAB_DIR/root
mkdir -p "$disk"
if [ "$LAB_DISK" = tmpfs ]; then mount -t tmpfs -o size=75% none "$disk"; else disk=$LAB_DIR/disk; fi
mkdir -p "$disk"/{upper,work,merged} "$disk"/data/{docker,containerd,tsnet,etc-docker}
root=$disk/merged
mount -t overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" overlay "$root"

# The programs are bound one by one: as a second lowerdir they would lie inside the first, which overlay refuses
if [ -n "$LAB_ENGINE" ]; then
  while read -r file; do
    mkdir -p "$root/$(dirname "$file")"
    [ -e "$root/$file" ] || : > "$root/$file"
    mount --bind "$LAB_ENGINE/$file" "$root/$file"
  done < <(cd "$LAB_ENGINE" && find . -type f -path './usr/*')
fi

mkdir -p "$root"/{proc,sys,dev,run,tmp,etc/docker,var/lib/docker,var/lib/containerd,var/lib/tsnet}
mount -t tmpfs -o mode=755 none "$root/run"
mount -t tmpfs -o mode=1777 none "$root/tmp"
# Docker's disk must not lie on the overlay: overlay2 cannot be stacked on it
for pair in docker:var/lib/docker containerd:var/lib/containerd tsnet:var/lib/tsnet etc-docker:etc/docker; do
  mount --bind "$disk/data/${pair%%:*}" "$root/${pair#*:}"
done
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" # that of the new network namespace
if [ "${LAB_CGROUPS%% *}" = . ]; then
  mount -t cgroup2 none "$root/sys/fs/cgroup"
elif [ -n "$LAB_CGROUPS" ]; then
  mount -t tmpfs -o mode=755 none "$root/sys/fs/cgroup"
  while read -r dir type options; do
    mkdir -p "$root/sys/fs/cgroup/$dir"
    mount -t "$type" -o "$options" none "$root/sys/fs/cgroup/$dir"
  done <<< "$LAB_CGROUPS"
fi

bind() { # PATH [ro]
  if [ -d "$1" ]; then
    mkdir -p "$root$1"
  else
    mkdir -p "$root$(dirname "$1")"
    [ -e "$root$1" ] || : > "$root$1"
  fi
  mount --bind "$1" "$root$1"
  [ "${2:-}" != ro ] || mount -o remount,bind,ro "$root$1"
}
bind "$LAB_REPO" ro
bind "$LAB_DIR"
while read -r path; do [ -z "$path" ] || bind "$path"; done <<< "$LAB_BINDS"

cd "$root"
mkdir -p .old
pivot_root . .old
cd /
hash -r
mount --make-rshared / # as systemd leaves it: plugins with rslave mounts see later ones
umount -l /.old
rmdir /.old 2> /dev/null || true
printf '127.0.0.1 localhost\n::1 localhost\n' > /etc/hosts
: > /etc/resolv.conf
ip link set lo up

# A pipe that this process itself holds open never ends, so the read below waits for ever, without a child
mkfifo -m 600 /run/lab-idle
exec 3<> /run/lab-idle
trap : TERM INT HUP
echo ready
exec > /dev/null 2>&1 < /dev/null
while :; do read -r _ <&3 || :; done
