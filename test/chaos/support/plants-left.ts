import { always, type Plant, plain } from './plants.ts';

const NOBODY = 'f'.repeat(64);

/** Programs under names that the judge knows, in a directory of their own. */
const PROGRAMS = '/run/planted';

/** What belongs to nothing. */
export const LEFT: readonly Plant[] = [
  plain(
    'link-of-nothing',
    'tsb0123456789',
    `ip link add tsb0123456789 type bridge; ip link set tsb0123456789 alias tsnet:${NOBODY}`,
  ),
  plain(
    'link-of-nothing',
    'tsv0123456789',
    'ip link add tsv0123456789 type veth peer name other0',
    'ip link del tsv0123456789',
  ),
  plain(
    'link-of-nothing',
    'stray0',
    'ip link add stray0 link eth0 type macvlan mode bridge',
    'ip link del stray0',
  ),
  {
    rule: 'link-of-nothing',
    subject: always('tsvfffffffff0'),
    plant: scene =>
      `ip link add tsvfffffffff0 type bridge; ip link set tsvfffffffff0 alias ${scene.alias('web1', 'web')}`,
    undo: always('ip link del tsvfffffffff0'),
  },
  {
    rule: 'bridge-address',
    subject: always('plain'),
    plant: scene => `ip addr add 198.18.77.1/24 dev ${scene.link('plain')}`,
    undo: scene => `ip addr del 198.18.77.1/24 dev ${scene.link('plain')} || true`,
  },
  {
    rule: 'shim-wrong',
    subject: always('eth0'),
    plant: scene => `ip addr add 198.18.77.2/32 dev ${scene.shim('eth0')}`,
    undo: scene => `ip addr del 198.18.77.2/32 dev ${scene.shim('eth0')} || true`,
  },
  {
    rule: 'route-of-nothing',
    subject: always('198.18.77.3/32'),
    plant: scene => `ip route add 198.18.77.3/32 dev ${scene.shim('eth0')} proto 116`,
  },
  {
    rule: 'neighbour-of-nothing',
    subject: always('198.18.77.4'),
    plant: scene =>
      `ip neigh add 198.18.77.4 lladdr 02:42:c6:12:4d:04 dev ${scene.shim('eth0')} nud permanent`,
    undo: scene => `ip neigh del 198.18.77.4 dev ${scene.shim('eth0')} || true`,
  },
  {
    rule: 'element-of-nothing',
    subject: always('inet tsnet'),
    plant: always('nft add element inet tsnet publish4 "{ tcp . 9999 : 198.18.10.99 . 80 }"'),
  },
  {
    rule: 'table-of-nothing',
    subject: always('plain1'),
    plant: scene => `${scene.inside('plain1')} nft add table inet tsnet`,
    undo: scene => `${scene.inside('plain1')} nft delete table inet tsnet`,
  },
  plain('namespace-of-nothing', '/run/netns/planted', 'ip netns add planted', 'ip netns del planted'),
  {
    rule: 'namespace-of-nothing',
    subject: always('tsnet-holder'),
    plant: always(
      `mkdir -p ${PROGRAMS}; cp /bin/bash ${PROGRAMS}/tsnet-holder
      setsid ${PROGRAMS}/tsnet-holder -c 'exec 9< /run/netns/planted; echo $$ > ${PROGRAMS}/holder.pid; read -t 600 < <(sleep 600)' > /dev/null 2>&1 &`,
    ),
    undo: always(`kill $(cat ${PROGRAMS}/holder.pid)`),
  },
  plain(
    'process-of-nothing',
    'busybox',
    `setsid ip netns exec planted busybox sleep 600 > /dev/null 2>&1 & echo $! > /run/stray.pid`,
    'kill $(cat /run/stray.pid)',
  ),
  plain(
    'process-of-nothing',
    'containerd-shim',
    `mkdir -p ${PROGRAMS}; cp /bin/bash ${PROGRAMS}/containerd-shim-runc-v2
    setsid ${PROGRAMS}/containerd-shim-runc-v2 -c 'echo $$ > ${PROGRAMS}/shim.pid; read -t 600 < <(sleep 600)' -id ${NOBODY} > /dev/null 2>&1 &`,
    `kill $(cat ${PROGRAMS}/shim.pid)`,
  ),
  {
    rule: 'daemon-count',
    subject: always('h1'),
    plant: always(
      `mkdir -p ${PROGRAMS}; cp /bin/bash ${PROGRAMS}/tsnet; cd ${PROGRAMS}
      echo 'echo $$ > second.pid; sleep 600' > serve; setsid ${PROGRAMS}/tsnet serve > /dev/null 2>&1 &`,
    ),
    undo: always(`kill $(cat ${PROGRAMS}/second.pid)`),
  },
  { rule: 'process-of-nothing', subject: always('sleep'), plant: always('true') },
  plain('file-of-nothing', 'leftover', 'touch /var/lib/tsnet/leftover', 'rm /var/lib/tsnet/leftover'),
  plain(
    'file-of-nothing',
    'tsnet.sock.new',
    'touch /run/docker/plugins/tsnet.sock.new',
    'rm /run/docker/plugins/tsnet.sock.new',
  ),
  plain(
    'file-of-nothing',
    '/run/tsnet-addon-xyz',
    'mkdir /run/tsnet-addon-xyz',
    'rmdir /run/tsnet-addon-xyz',
  ),
  plain(
    'port-held-for-nothing',
    '8009/tcp',
    'setsid busybox nc -l -p 8009 > /dev/null 2>&1 & echo $! > /run/nc.pid',
    'kill $(cat /run/nc.pid)',
  ),
  {
    rule: 'interface-of-nothing',
    subject: always('plain1'),
    plant: scene => `${scene.inside('plain1')} ip link add more0 type veth peer name more1`,
    undo: scene => `${scene.inside('plain1')} ip link del more0`,
  },
  {
    rule: 'interface-twice',
    subject: always('web2'),
    plant: scene =>
      `${scene.inside('web2')} ip link add twin0 address ${scene.mac('web2', 'web')} type veth peer name twin1 address ${scene.mac('web2', 'plain')}`,
    undo: scene => `${scene.inside('web2')} ip link del twin0`,
  },
  {
    rule: 'address-surplus',
    subject: always('own1 on own'),
    plant: scene =>
      `${scene.inside('own1')} ip addr add 198.18.77.5/32 dev ${scene.interface('own1', 'own')}`,
    undo: scene => `${scene.inside('own1')} ip addr del 198.18.77.5/32 dev ${scene.interface('own1', 'own')}`,
  },
  {
    rule: 'address-held-twice',
    subject: scene => `address ${scene.address('int1', 'int')}`,
    plant: scene =>
      `${scene.inside('int2')} ip addr add ${scene.address('int1', 'int')}/32 dev ${scene.interface('int2', 'int')}`,
    undo: scene =>
      `${scene.inside('int2')} ip addr del ${scene.address('int1', 'int')}/32 dev ${scene.interface('int2', 'int')}`,
  },
  {
    rule: 'gateway-surplus',
    subject: always('int1'),
    plant: scene => `${scene.inside('int1')} ip route add default via 198.18.12.1`,
    undo: scene => `${scene.inside('int1')} ip route del default`,
  },
  {
    rule: 'port-wrong',
    subject: always('iso2 on iso'),
    plant: scene => `bridge link set dev ${scene.port('iso2', 'iso')} isolated off`,
    undo: scene => `bridge link set dev ${scene.port('iso2', 'iso')} isolated on`,
  },
  plain(
    'reachable',
    'web1 on web',
    'nft insert rule inet tsnet across meta mark set meta mark \\| 0x10000000 accept comment planted',
    `nft delete rule inet tsnet across handle $(nft -a list chain inet tsnet across | sed -n 's/.*planted.* handle //p')`,
  ),
];
