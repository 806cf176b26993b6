#!/usr/bin/env bash
# Takes away what install.sh has laid, with all that tsnet has made on the host. Refused while networks exist.
#
#   uninstall.sh [--purge]    --purge, or PURGE=1 in the environment: with networks, whose containers lose them, and with the
#                             state. PREFIX and DESTDIR as for install.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/install/places.sh

case ${1:-} in
  --purge) PURGE=1 ;;
  '') PURGE=${PURGE:-} ;;
  *) die "uninstall.sh [--purge]" ;;
esac
tsnet=$PREFIX/bin/tsnet

end_daemon() {
  [ ! -d /run/systemd/system ] || systemctl stop tsnet.socket tsnet.service
}
start_again() {
  [ ! -d /run/systemd/system ] || systemctl start tsnet.socket tsnet.service
}

if [ -z "$DESTDIR" ]; then
  [ "$(id -u)" = 0 ] || die "must be root, or be given a DESTDIR"
  [ -x "$tsnet" ] || die "there is no $tsnet"
  if [ -n "$PURGE" ]; then
    end_daemon
    "$tsnet" purge --force
  else
    "$tsnet" purge --dry-run > /dev/null
    end_daemon
    # Somebody may have made a network meanwhile.
    "$tsnet" purge --keep-state || { start_again; exit 1; }
  fi
  [ ! -d /run/systemd/system ] || systemctl --quiet disable tsnet.socket tsnet.service
fi

rm -f "$DESTDIR$tsnet" "$DESTDIR$LIB/tmpfiles.d/tsnet.conf"
for unit in $UNITS; do rm -f "$DESTDIR$LIB/systemd/system/$unit"; done
rm -rf "$DESTDIR$DOC"
[ -n "$DESTDIR" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload
say "uninstalled from $PREFIX"
