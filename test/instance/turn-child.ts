/** `turn-child.ts KIND ID`: a tsnet that wants the place of its network namespace; says what becomes of that, a line each. */
import type { Identity } from '../../src/instance/identity.ts';
import { Turn } from '../../src/instance/turn.ts';
import { createLog } from '../../src/log.ts';

const [, , kind, id = ''] = process.argv;
const say = (words: string) => process.stdout.write(`${words}\n`);
const own: Identity = { kind: kind === 'plugin' ? 'plugin' : 'daemon', id, version: '1.2.3' };

const turn = new Turn(own, createLog({ level: 'warn', format: 'text' }), () => void ask());

async function ask(): Promise<void> {
  try {
    await turn.take(async former => {
      say(`may follow ${former?.id}?`);
    });
    say('taken');
  } catch (error) {
    say(String((error as Error).message));
  }
}

process.on('SIGUSR1', () => void ask());
process.once('SIGTERM', () => {
  turn.close();
  process.exit(0);
});
// What keeps a daemon alive is its socket.
setInterval(() => undefined, 60_000);
say('asking');
void ask();
