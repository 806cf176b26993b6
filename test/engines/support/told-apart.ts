import type { Chapter, Step } from '../../replay/trace.ts';

/**
 * A chapter without what is different each time that it is played: ids are numbered, lists whose order is random are
 * sorted, of a refusal the code stays, and equal calls in a row about several endpoints come in one order.
 */
export function withoutChance({ name, steps }: Chapter): Chapter {
  const numbers = new Map<string, string>();
  const numbered = (id: string) => {
    if (!numbers.has(id)) numbers.set(id, `id-${numbers.size + 1}`);
    return String(numbers.get(id));
  };
  const plain = (value: unknown, key = ''): unknown => {
    if (typeof value === 'string') {
      if (key === 'Err' || key === 'Error') return value.replace(/:.*/s, '');
      if (/^([0-9a-f]{64}|tsc[0-9a-f]{10}|.*\/netns\/[0-9a-f]{12})$/.test(value)) return numbered(value);
    }
    if (Array.isArray(value)) return value.map(item => plain(item)).sort(byText);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, plain(item, field)]));
  };
  return { name, steps: inOneOrder(steps.map(step => plain(step) as Step)) };
}

const text = (value: unknown) => JSON.stringify(value);
const byText = (a: unknown, b: unknown) => (text(a) < text(b) ? -1 : 1);

/** The engine asks about a container's endpoints in the order of a map of Go. */
function inOneOrder(steps: Step[]): Step[] {
  const isInfo = (step: Step | undefined) =>
    step !== undefined && 'call' in step && step.call === 'NetworkDriver.EndpointOperInfo';
  const ordered: Step[] = [];
  for (let at = 0; at < steps.length; ) {
    let end = at + 1;
    if (isInfo(steps[at])) while (isInfo(steps[end])) end++;
    ordered.push(...steps.slice(at, end).sort(end - at > 1 ? byText : () => 0));
    at = end;
  }
  return ordered;
}
