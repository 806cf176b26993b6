#!/usr/bin/env bash
# Installs what tsnet's tests and its lab need on Debian 12, and unpacks newer Docker Engines beside it.
#
#   packages.sh [GENERATION...]     GENERATION: 26 and 28 (default: both), the engines to unpack
#   packages.sh --check [GENERATION...]   installs nothing; fails and says so when something is missing
#
# Quick when everything is there. No service is started, apt's own configuration is not changed: newer suites are
# read with lists of their own, and what they bring is only unpacked, below $TSNET_LAB_CACHE (default
# /var/cache/tsnet-lab):
#   engines/26   dockerd, containerd and their helpers of trixie
#   engines/28   the same of sid; when sid has left 28, 26 is the newest
#   compose      trixie's docker-compose, a plugin of the docker client; sid's under compose-newest
#   registry     docker-registry of the machine's own release, which its package would start as a service
#   firewalls    ufw and firewalld of the machine's own release, so that this machine itself never has them
# runc stays the machine's own: that of newer suites wants a newer C library.
set -euo pipefail

CACHE=${TSNET_LAB_CACHE:-/var/cache/tsnet-lab}
PACKAGES='docker.io iproute2 iptables nftables libnftables1 busybox-static util-linux tcpdump iputils-ping strace'
# What firewalld is run with.
PACKAGES="$PACKAGES dbus-daemon python3-dbus python3-gi"
# What a lab's host boots with where tsnet is installed as a service.
PACKAGES="$PACKAGES systemd dbus"
PROGRAMS='dockerd docker-proxy docker-init containerd containerd-shim-runc-v2 containerd-shim ctr'
CHECK=
if [ "${1:-}" = --check ]; then CHECK=1; shift; fi
[ $# -gt 0 ] || set -- 26 28

say() { echo "packages: $*" >&2; }
die() { say "$*"; exit 1; }

missing_packages() {
  local p
  for p in $PACKAGES; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
  done
}

# Debian starts a service as soon as its package is installed; a policy-rc.d that answers 101 forbids it.
# The machine's own policy, if there is one, is put back whatever happens.
POLICY=/usr/sbin/policy-rc.d
forbid_services() {
  [ ! -e $POLICY ] || mv $POLICY $POLICY.tsnet-saved
  printf '#!/bin/sh\nexit 101\n' > $POLICY
  chmod 755 $POLICY
}
allow_services() {
  rm -f $POLICY
  [ ! -e $POLICY.tsnet-saved ] || mv $POLICY.tsnet-saved $POLICY
}

install_packages() {
  local missing log rc=0
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  [ -z "$CHECK" ] || die "not installed:" $missing
  say "installing" $missing
  log=$(mktemp)
  trap allow_services EXIT
  forbid_services
  # shellcheck disable=SC2086
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing; } \
    > "$log" 2>&1 < /dev/null || rc=$?
  allow_services
  trap - EXIT
  [ $rc = 0 ] || { tail -20 "$log" >&2; die "apt-get failed, its output is in $log"; }
  rm -f "$log"
}

# The mirror that this machine uses for its own release serves the other suites, too.
mirror() {
  local release
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Identifier: Packages' |
    awk -v r="$release" '$2 == r { print $1; exit }'
}

# apt_of SUITE WORK: makes WORK an apt state of its own for SUITE; later `APT_CONFIG=WORK/conf apt-...` uses it
apt_of() {
  local suite=$1 work=$2 uri
  uri=$(mirror)
  [ -n "$uri" ] || die "no Debian mirror in this machine's apt sources"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  : > "$work/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" > "$work/sources.list"
  cat > "$work/conf" <<CONF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
APT::Default-Release "";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
CONF
  APT_CONFIG=$work/conf apt-get -q update > "$work/log" 2>&1
}

version_of() { # PACKAGE WORK: upstream version that the suite has
  APT_CONFIG=$2/conf apt-cache show "$1" 2>/dev/null | sed -n 's/^Version: \([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p' | head -1
}

unpack() { # WORK PACKAGE...: into WORK/x
  local work=$1 deb
  shift
  (cd "$work" && APT_CONFIG=$work/conf apt-get -q download "$@" >> "$work/log" 2>&1) || return 1
  for deb in "$work"/*.deb; do dpkg -x "$deb" "$work/x"; rm -f "$deb"; done
}

# fetch_engine GENERATION SUITE: unpacks the suite's engine when it is of that generation
fetch_engine() {
  local generation=$1 suite=$2 work version program bin
  work=$(mktemp -d "$CACHE/.fetch.XXXXXX")
  apt_of "$suite" "$work" || { say "$suite cannot be read"; rm -rf "$work"; return 1; }
  version=$(version_of docker.io "$work")
  case $version in
    "$generation".*) ;;
    *) say "$suite has docker.io ${version:-none}, not $generation"; rm -rf "$work"; return 1 ;;
  esac
  unpack "$work" docker.io containerd || { tail -3 "$work/log" >&2; rm -rf "$work"; return 1; }
  for program in $PROGRAMS; do
    for bin in usr/bin usr/sbin; do
      [ -f "$work/x/$bin/$program" ] || continue
      mkdir -p "$work/engine/$bin"
      mv "$work/x/$bin/$program" "$work/engine/$bin/"
    done
  done
  "$work/engine/usr/sbin/dockerd" --version > "$work/engine/VERSION" || { rm -rf "$work"; return 1; }
  mkdir -p "$CACHE/engines"
  [ -e "$CACHE/engines/$generation" ] || mv -T "$work/engine" "$CACHE/engines/$generation"
  rm -rf "$work"
  say "unpacked $(cat "$CACHE/engines/$generation/VERSION")"
}

have_engine() { [ -e "$CACHE/engines/$1/VERSION" ]; }

engine() { # GENERATION
  have_engine "$1" && return 0
  # Debian's sid moves on: from that day 26 takes the place of 28
  if [ "$1" = 28 ] && [ -e "$CACHE/engines/sid-has-left-28" ] && have_engine 26; then return 0; fi
  [ -z "$CHECK" ] || die "engine $1 is not unpacked in $CACHE"
  case $1 in
    26) fetch_engine 26 trixie || die "no engine 26" ;;
    28)
      fetch_engine 28 sid || {
        have_engine 26 || fetch_engine 26 trixie || die "neither engine 28 nor 26"
        : > "$CACHE/engines/sid-has-left-28"
      } ;;
    *) die "which engine is '$1'? There are 26 and 28" ;;
  esac
}

# fetch_compose SUITE DIR: unpacks the suite's compose
fetch_compose() {
  local suite=$1 dir=$CACHE/$2 work
  [ ! -x "$dir/docker-compose" ] || return 0
  [ -z "$CHECK" ] || die "docker-compose is not unpacked in $dir"
  work=$(mktemp -d "$CACHE/.fetch.XXXXXX")
  if apt_of "$suite" "$work" && unpack "$work" docker-compose; then
    mkdir -p "$dir"
    mv "$work/x/usr/libexec/docker/cli-plugins/docker-compose" "$dir/docker-compose"
  else
    tail -3 "$work/log" >&2
    rm -rf "$work"
    die "no docker-compose of $suite"
  fi
  rm -rf "$work"
  say "unpacked docker-compose $("$dir/docker-compose" version --short)"
}

compose() {
  fetch_compose trixie compose
  # what is newer in compose files, for the newest engine
  fetch_compose sid compose-newest
}

# A registry for plugins, of which only the program is wanted: its package starts it as a service.
registry() {
  local work
  [ ! -x "$CACHE/registry/docker-registry" ] || return 0
  [ -z "$CHECK" ] || die "docker-registry is not unpacked in $CACHE"
  work=$(mktemp -d "$CACHE/.fetch.XXXXXX")
  if apt_of "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$work" && unpack "$work" docker-registry; then
    mkdir -p "$CACHE/registry"
    mv "$work/x/usr/bin/docker-registry" "$CACHE/registry/docker-registry"
  else
    tail -3 "$work/log" >&2
    rm -rf "$work"
    die "no docker-registry"
  fi
  rm -rf "$work"
  say "unpacked $("$CACHE/registry/docker-registry" --version)"
}

# As their packages would leave them behind, but for what starts them: to be copied over the root of a lab's host.
firewalls() {
  local work x
  [ ! -e "$CACHE/firewalls" ] || return 0
  [ -z "$CHECK" ] || die "ufw and firewalld are not unpacked in $CACHE"
  work=$(mktemp -d "$CACHE/.fetch.XXXXXX")
  x=$work/x
  apt_of "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$work" &&
    unpack "$work" ufw firewalld python3-firewall python3-nftables ||
    { tail -3 "$work/log" >&2; rm -rf "$work"; die "no ufw and firewalld"; }
  cp "$x"/usr/share/ufw/iptables/*.rules "$x"/usr/share/ufw/*.init "$x/usr/share/ufw/ufw.conf" "$x/etc/ufw/"
  chmod 640 "$x"/etc/ufw/*.rules
  cp -a "$x/lib/." "$x/usr/lib/" # in the merged /usr of Debian /lib is a link
  rm -rf "$x/lib"
  mv -T "$x" "$CACHE/firewalls"
  rm -rf "$work"
  say "unpacked ufw and firewalld"
}

if [ -z "$CHECK" ]; then
  [ "$(id -u)" = 0 ] || die "must be root"
  mkdir -p "$CACHE"
  # one at a time: several test runs may start with nothing unpacked
  exec 9> "$CACHE/.lock"
  flock 9
fi
install_packages
for generation in "$@"; do engine "$generation"; done
compose
registry
firewalls
