#!/usr/bin/env bash
# Installs dist/tsnet with its systemd units and documentation, and starts it where systemd runs.
#
#   install.sh        from the environment: PREFIX (default /usr/local), and DESTDIR, below which everything is laid, and
#                     nothing is started, for packages
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/install/places.sh

[ -x dist/tsnet ] || die "dist/tsnet is not built: make build"
if [ -z "$DESTDIR" ]; then
  [ "$(id -u)" = 0 ] || die "must be root, or be given a DESTDIR"
  if [ "$(dpkg-query -W -f '${db:Status-Status}' tsnet 2> /dev/null || true)" = installed ]; then
    die "the Debian package tsnet is installed here: apt remove tsnet comes first"
  fi
fi

lay() { # MODE SOURCE TARGET: in one step, so that nobody finds half a file
  install -D -m "$1" "$2" "$DESTDIR$3.new"
  mv "$DESTDIR$3.new" "$DESTDIR$3"
}
placed() { # SOURCE: the file as it is for this prefix
  sed "s|/usr/bin/tsnet|$PREFIX/bin/tsnet|; s|/usr/share/doc|$PREFIX/share/doc|" "$1"
}

lay 755 dist/tsnet "$PREFIX/bin/tsnet"
for unit in $UNITS; do lay 644 <(placed "plugin/systemd/$unit") "$LIB/systemd/system/$unit"; done
lay 644 plugin/systemd/tsnet.tmpfiles "$LIB/tmpfiles.d/tsnet.conf"
while read -r page; do lay 644 "docs/$page" "$DOC/$page"; done < <(cd docs && find . -name '*.md' -printf '%P\n' | sort)
lay 644 CHANGELOG.md "$DOC/CHANGELOG.md"
lay 644 LICENSE "$DOC/LICENSE"
lay 644 dist/THIRD-PARTY-LICENSES "$DOC/THIRD-PARTY-LICENSES"

[ -z "$DESTDIR" ] || exit 0
say "installed $("$PREFIX/bin/tsnet" --version) as $PREFIX/bin/tsnet"
if [ ! -d /run/systemd/system ]; then
  say "systemd does not run here: start the daemon with: tsnet serve"
  exit 0
fi
systemd-tmpfiles --create "$LIB/tmpfiles.d/tsnet.conf"
systemctl daemon-reload
plugin=$("$PREFIX/bin/tsnet" purge --dry-run --keep-state 2> /dev/null | sed -n 's/ serves this host.*//p' || true)
[ -z "$plugin" ] || die "$plugin serves this host, where one tsnet has room: not started." \
  "Remove the plugin with docker plugin rm and repeat this, or make uninstall"
systemctl --quiet enable tsnet.socket tsnet.service
# A socket that listens already goes on: calls wait there while the daemon is replaced.
systemctl start tsnet.socket
systemctl restart tsnet.service
say "running: docker network create -d tsnet ..."
