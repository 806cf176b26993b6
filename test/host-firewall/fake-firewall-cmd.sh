#!/bin/sh
# Answers as firewall-cmd 1.3 does. $FAKE_FIREWALLD holds a file for each zone, with the names of its links, and:
#   stopped   when it is there firewalld does not run
#   calls     what it was called with, one call a line
dir=$FAKE_FIREWALLD
echo "$*" >> "$dir/calls"
[ ! -e "$dir/stopped" ] || { echo 'FirewallD is not running' >&2; exit 252; }
zone=
for arg in "$@"; do
  case $arg in
    --get-zones) (cd "$dir/zones" && echo *) ;;
    --get-active-zones)
      for file in "$dir"/zones/*; do
        [ ! -s "$file" ] || printf '%s\n  interfaces: %s\n' "$(basename "$file")" "$(tr '\n' ' ' < "$file")"
      done ;;
    --zone=*) zone=$dir/zones/${arg#*=} ;;
    --add-interface=*)
      if grep -qx "${arg#*=}" "$dir"/zones/*; then echo "Error: ZONE_CONFLICT: '${arg#*=}'" >&2; exit 18; fi
      echo "${arg#*=}" >> "$zone" ;;
    --remove-interface=*) sed -i "/^${arg#*=}$/d" "$zone" ;;
  esac
done
