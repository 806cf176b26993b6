import { describe, expect, it } from 'vitest';
import { judge, type Member, promised } from '../../scripts/demo/reach.ts';

const member = (name: string, place: string): Member => ({ name, place, address: `at-${name}` });
const host = member('host', 'host');
const peer = member('LAN peer', 'LAN');
const lan1 = member('lan1', 'lan');
const web1 = member('web1', 'web');
const web2 = member('web2', 'web');
const front = member('front', 'shop_default');
const ALL = [host, peer, lan1, web1, web2, front];

describe('promised', () => {
  it('lets a bridge reach out and nobody in', () => {
    expect([host, peer, lan1, web2].map(to => promised(web1, to))).toEqual([true, true, true, true]);
    expect([host, peer, lan1, front].map(from => promised(from, web1))).toEqual([true, false, false, false]);
  });

  it('makes a macvlan container a neighbour of all', () => {
    expect(ALL.map(from => promised(from, lan1))).toEqual(ALL.map(() => true));
  });
});

describe('judge', () => {
  it('finds nothing broken when all is as promised', () => {
    const { table, broken } = judge(ALL, promised);
    expect(broken).toEqual([]);
    expect(table).not.toContain('(!)');
  });

  it('names each pair that is not, either way', () => {
    const wrong = (from: Member, to: Member) =>
      from === host && to === lan1 ? false : from === front && to === web1 ? true : promised(from, to);
    const { table, broken } = judge(ALL, wrong);
    expect(broken).toEqual(['host does not reach lan1 (at-lan1)', 'front reaches web1 (at-web1)']);
    expect(table.match(/\(!\)/g)).toHaveLength(2);
  });
});
