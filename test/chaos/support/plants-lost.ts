import { always, type Plant, plain } from './plants.ts';

/** What is lost, or not as it should be. */
export const LOST: readonly Plant[] = [
  {
    rule: 'link-missing',
    subject: always('plain1 on plain'),
    plant: scene => `ip link set ${scene.port('plain1', 'plain')} alias ''`,
    undo: scene => `ip link set ${scene.port('plain1', 'plain')} alias ${scene.alias('plain1', 'plain')}`,
  },
  {
    rule: 'link-down',
    subject: always('int'),
    plant: scene => `ip link set ${scene.link('int')} down`,
    undo: scene => `ip link set ${scene.link('int')} up`,
  },
  { rule: 'unreachable', subject: always('int1 on int'), plant: always('true') },
  {
    rule: 'route-missing',
    subject: scene => scene.address('lan1', 'lan'),
    plant: scene => `ip route del ${scene.address('lan1', 'lan')}/32 dev ${scene.shim('eth0')}`,
  },
  {
    rule: 'neighbour-missing',
    subject: scene => scene.address('lan2', 'lan'),
    plant: scene => `ip neigh del ${scene.address('lan2', 'lan')} dev ${scene.shim('eth0')}`,
  },
  {
    rule: 'neighbour-wrong',
    subject: always('198.18.1.11'),
    on: 'lan',
    plant: always('ip neigh replace 198.18.1.11 lladdr 02:00:00:00:00:99 dev br1 nud reachable'),
    undo: always('ip neigh del 198.18.1.11 dev br1'),
  },
  {
    rule: 'element-missing',
    subject: always('inet tsnet'),
    plant: scene =>
      `nft delete element inet tsnet publish4 "{ tcp . 8001 : ${scene.address('web1', 'web')} . 80 }"`,
  },
  { rule: 'port-unreachable', subject: always('web1 on web'), plant: always('true') },
  {
    rule: 'port-unreachable',
    subject: always('web1 on web'),
    detail: '8001/udp',
    plant: scene =>
      `nft delete element inet tsnet publish4 "{ udp . 8001 : ${scene.address('web1', 'web')} . 53 }"`,
  },
  {
    rule: 'table-missing',
    subject: always('self1 on self'),
    plant: scene => `${scene.inside('self1')} nft delete table inet tsnet`,
  },
  plain('docker-user-rule', 'IPv4', 'iptables -F DOCKER-USER; iptables -A DOCKER-USER -j RETURN'),
  {
    rule: 'interface-missing',
    subject: always('guest2 on guests'),
    plant: scene =>
      `${scene.inside('guest2')} ip link set ${scene.interface('guest2', 'guests')} address 02:00:00:00:00:77`,
    undo: scene =>
      `${scene.inside('guest2')} ip link set ${scene.interface('guest2', 'guests')} address ${scene.mac('guest2', 'guests')}`,
  },
  {
    rule: 'interface-down',
    subject: always('alone1 on segment'),
    plant: scene => `${scene.inside('alone1')} ip link set ${scene.interface('alone1', 'segment')} down`,
    undo: scene => `${scene.inside('alone1')} ip link set ${scene.interface('alone1', 'segment')} up`,
  },
  {
    rule: 'interface-kind',
    subject: always('alone2 on segment'),
    plant: scene => `${scene.inside('alone2')} bash -c '
      ip link set ${scene.interface('alone2', 'segment')} down name was0
      ip link set was0 address 02:00:00:00:00:78
      ip link add fake0 address ${scene.mac('alone2', 'segment')} type veth peer name fake1'`,
    undo: scene => `${scene.inside('alone2')} bash -c '
      ip link del fake0
      ip link set was0 address ${scene.mac('alone2', 'segment')}
      ip link set was0 name ${scene.interface('alone2', 'segment')} up'`,
  },
  {
    rule: 'address-missing',
    subject: always('iso1 on iso'),
    plant: scene =>
      `${scene.inside('iso1')} ip addr del ${scene.cidr('iso1', 'iso')} dev ${scene.interface('iso1', 'iso')}`,
    undo: scene => `${scene.inside('iso1')} bash -c '
      ip addr add ${scene.cidr('iso1', 'iso')} dev ${scene.interface('iso1', 'iso')}
      ip route replace default via 198.18.13.1'`,
  },
  {
    rule: 'address-unusable',
    subject: always('web2 on web'),
    plant: scene => `${scene.inside('web2')} bash -c '
      ip addr del ${scene.cidr('web2', 'web', 6)} dev ${scene.interface('web2', 'web')}
      echo 60 > /proc/sys/net/ipv6/conf/${scene.interface('web2', 'web')}/dad_transmits
      ip addr add ${scene.cidr('web2', 'web', 6)} dev ${scene.interface('web2', 'web')}'`,
    undo: scene => `${scene.inside('web2')} bash -c '
      ip addr del ${scene.cidr('web2', 'web', 6)} dev ${scene.interface('web2', 'web')}
      ip addr add ${scene.cidr('web2', 'web', 6)} dev ${scene.interface('web2', 'web')} nodad
      ip -6 route replace default via 2001:db8:10::1'`,
  },
  {
    rule: 'gateway-missing',
    subject: always('own1'),
    plant: scene => `${scene.inside('own1')} ip route del default`,
    undo: scene => `${scene.inside('own1')} ip route add default via 198.18.14.1`,
  },
  {
    rule: 'gateway-wrong',
    subject: always('iso2'),
    plant: scene => `${scene.inside('iso2')} ip route replace default via 198.18.13.77`,
    undo: scene => `${scene.inside('iso2')} ip route replace default via 198.18.13.1`,
  },
];

/** What is wrong when tsnet is dead. */
export const DEAD: readonly Plant[] = [
  { rule: 'daemon-count', subject: always('h1'), plant: always('true') },
  { rule: 'port-not-held', subject: always('web1 on web'), plant: always('true') },
  plain('table-missing', 'inet tsnet', 'nft delete table inet tsnet'),
  {
    rule: 'link-kind',
    subject: always('int'),
    plant: scene => `ip link del ${scene.link('int')}
      ip link add ${scene.link('int')} type veth peer name other1
      ip link set ${scene.link('int')} alias tsnet:${scene.networkId('int')}`,
    undo: scene => `ip link del ${scene.link('int')}`,
  },
];
