# Where things are installed; sourced by install.sh and uninstall.sh.

say() { echo "tsnet: $*"; }
die() { echo "tsnet: $*" >&2; exit 1; }

DESTDIR=${DESTDIR:-}
PREFIX=${PREFIX:-/usr/local}
case $PREFIX in
  /usr | /usr/local) LIB=$PREFIX/lib ;;
  /*) LIB=/etc ;; # systemd reads units of these three places only
  *) die "PREFIX=$PREFIX is not absolute" ;;
esac
DOC=$PREFIX/share/doc/tsnet
UNITS='tsnet.socket tsnet.service'
