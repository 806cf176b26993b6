import type { TsnetHost } from './tsnet-host.ts';

/** The daemon's answer to one request on its socket. */
export interface PluginAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** The code of the error table that an error begins with. */
  readonly code: string | undefined;
}

/**
 * Sends one request to the live daemon from within its host, as an engine would.
 * @param method such as `NetworkDriver.CreateNetwork`
 * @param body sent as it is when it is a text or bytes, else as JSON
 * @param options further arguments of curl
 */
export async function callPlugin(
  host: TsnetHost,
  method: string,
  body: unknown,
  ...options: string[]
): Promise<PluginAnswer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const { stdout } = await host.host.exec(
    'curl',
    [
      ...['-s', '-g', '--max-time', '20', '--unix-socket', '/run/docker/plugins/tsnet.sock'],
      ...['-X', 'POST', '--data-binary', '@-', '-w', '\n%{http_code}', ...options],
      `http://plugin/${method}`,
    ],
    { input: raw ? body : JSON.stringify(body) },
  );
  const text = String(stdout);
  const cut = text.lastIndexOf('\n');
  const parsed = JSON.parse(text.slice(0, cut)) as Record<string, unknown>;
  const code = /^([A-Z_]+): /.exec(String(parsed['Err'] ?? ''))?.[1];
  return { status: Number(text.slice(cut + 1)), body: parsed, code };
}
