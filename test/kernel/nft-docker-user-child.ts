import { ensureDockerUser, removeDockerUser } from '../../src/kernel/nft/docker-user.ts';
import { Nft } from '../../src/kernel/nft/nft.ts';

// Run through nsenter: iptables-legacy and /proc/net go by the namespace of the process.
const nft = Nft.open();
const outcome = await (process.argv[2] === 'ensure' ? ensureDockerUser(nft) : removeDockerUser(nft));
await nft.close();
console.log(JSON.stringify(outcome));
