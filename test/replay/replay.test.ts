import { describe, expect, it } from 'vitest';
import { ReplayedHost } from './replayed-host.ts';
import { type CallStep, readTrace, type Step } from './trace.ts';

const GENERATIONS = ['20.10', '26', '28', '29'] as const;

/** Of a refusal the code alone: the rest tells of the host that it was recorded on. */
const comparable = ({ status, answer }: Pick<CallStep, 'status' | 'answer'>) => {
  if (status === 200) return { status, answer };
  const { Err = '', Error: error = '' } = answer as { Err?: string; Error?: string };
  return { status, Err: Err.replace(/:.*/s, ''), Error: error.replace(/:.*/s, '') };
};

const perform = async (host: ReplayedHost, step: Step) => {
  if ('event' in step) return host.happen(step.event);
  const answered = await host.call(step);
  expect(comparable(answered), `${step.call} ${JSON.stringify(step.body)}`).toEqual(comparable(step));
};

interface NetworkBody {
  readonly NetworkID: string;
  readonly Options: Record<string, unknown>;
}

/** Ids of the internal networks of a chapter. */
const internalNetworks = (steps: readonly Step[]): string[] =>
  steps.flatMap(step => {
    if (!('call' in step) || step.call !== 'NetworkDriver.CreateNetwork') return [];
    const { NetworkID, Options } = step.body as NetworkBody;
    return Options['com.docker.network.internal'] === true ? [NetworkID] : [];
  });

describe.each(GENERATIONS)('what engine %s sends', generation => {
  const { chapters } = readTrace(generation);

  describe.each(chapters)('$name', ({ steps }) => {
    it('is answered as recorded, publishes while it should, and leaves nothing', async () => {
      const host = new ReplayedHost();
      const before = host.left();
      const internal = internalNetworks(steps);
      for (const step of steps) {
        await perform(host, step);
        const { call, status, body } = { call: '', status: 0, body: {}, ...step };
        if (call === 'NetworkDriver.ProgramExternalConnectivity' && status === 200)
          expect(host.publishes).toBe(!internal.includes((body as NetworkBody).NetworkID));
        // Also where no Revoke has come before it.
        if (call === 'NetworkDriver.DeleteEndpoint' && !host.hasContainers)
          expect(host.publishes).toBe(false);
      }
      expect(host.left()).toEqual(before);
      expect(host.probe.entries.filter(({ level }) => level === 'error')).toEqual([]);
    });

    it('may come again: in full, or with the empty body of a repeated call, which is refused', async () => {
      const host = new ReplayedHost();
      const before = host.left();
      for (const step of steps) {
        await perform(host, step);
        if ('event' in step || step.body === undefined) continue;
        // An address is asked for once: whoever asks for one that is held is somebody else.
        if (step.call.startsWith('NetworkDriver.')) await perform(host, step);
        const empty = await host.call({ call: step.call });
        expect(empty).toMatchObject({ status: 400, answer: { Err: expect.stringMatching(/^BODY_EMPTY:/) } });
      }
      expect(host.left()).toEqual(before);
    });

    it('may find tsnet killed and started again before each call', async () => {
      const host = new ReplayedHost();
      const before = host.left();
      for (const step of steps) {
        host.happen('tsnet restarted');
        await perform(host, step);
      }
      expect(host.left()).toEqual(before);
    });
  });
});
