import { linuxKernel } from '../../src/kernel/linux.ts';
import { removeDockerUser } from '../../src/kernel/nft/docker-user.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';
import { Rtnetlink } from '../../src/kernel/rtnetlink/rtnetlink.ts';

// Run through nsenter: iptables-legacy and /proc/net go by the namespace of the process.
const nft = Nft.open();
const rtnetlink = Rtnetlink.open();
const kernel = linuxKernel(rtnetlink, nft);
const [what, times = '1'] = process.argv.slice(2);
const ask = () => (what === 'ensure' ? kernel.openDockerUser() : removeDockerUser(nft));
const outcomes = await Promise.all(Array.from({ length: Number(times) }, ask));
await kernel.close();
rtnetlink.close();
await nft.close();
console.log(JSON.stringify(outcomes.length === 1 ? outcomes[0] : outcomes));
