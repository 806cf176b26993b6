/** What the daemon has said of a storm. */
export interface LogSummary {
  readonly calls: number;
  /** The longest one: `NetworkDriver.Join 41.2 ms`. */
  readonly longest: string;
  /** Entries that are warnings or worse, as they are. */
  readonly complaints: readonly string[];
}

const NO_COMPLAINT: ReadonlySet<unknown> = new Set(['info', 'debug']);

/** @param log as of `--log-format json`, one object a line; other lines are a runtime's words, and complaints as well */
export function summariseLog(log: string): LogSummary {
  let calls = 0;
  let longest = { message: 'none', ms: 0 };
  const complaints: string[] = [];
  for (const line of log.split('\n')) {
    if (line === '') continue;
    const entry = line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : { level: line };
    if (!NO_COMPLAINT.has(entry['level'])) complaints.push(line);
    const { message, ms } = entry;
    if (!/^(NetworkDriver|IpamDriver)\./.test(String(message)) || typeof ms !== 'number') continue;
    calls += 1;
    if (ms > longest.ms) longest = { message: String(message), ms };
  }
  return { calls, longest: `${longest.message} ${longest.ms} ms`, complaints };
}
