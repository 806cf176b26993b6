/**
 * Puts dist/plugin onto the engine that DOCKER_HOST names, enabled: creates it, or upgrades what is there by that name.
 * Run by `make plugin-install`; an argument names another folder. The name is tsnet-plugin, or TSNET_PLUGIN in the environment.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { imageOf } from './image.ts';
import { serveImage } from './one-image-registry.ts';

const folder = process.argv[2] ?? join(import.meta.dirname, '../../dist/plugin');
const name = process.env['TSNET_PLUGIN'] ?? 'tsnet-plugin';

interface Installed {
  readonly Id: string;
  readonly Enabled: boolean;
  readonly Config: { readonly Description: string };
}

try {
  if (/^tsnet(:|$)/.test(name)) {
    throw new Error(
      'a plugin called tsnet would take the driver name tsnet away from itself: call it something else',
    );
  }
  const { description } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const installed = await find();
  if (installed === undefined) await create();
  else if (installed.Config.Description !== description) await upgrade(installed);
  else if (!installed.Enabled) await enable();
  say(`${name} (${description}) is enabled: docker network create -d tsnet my-network`);
} catch (error) {
  process.stderr.write(`plugin-install: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

/** The plugin of that name, if there is one. */
async function find(): Promise<Installed | undefined> {
  const wanted = name.includes(':') ? name : `${name}:latest`;
  const list = await docker('plugin', 'ls', '--no-trunc', '--format', '{{.ID}} {{.Name}}');
  const line = list.split('\n').find(text => text.endsWith(` ${wanted}`));
  if (line === undefined) return undefined;
  return JSON.parse(await docker('plugin', 'inspect', '-f', '{{json .}}', line.slice(0, line.indexOf(' '))));
}

async function create(): Promise<void> {
  say(`creating ${name}, which takes some seconds`);
  await docker('plugin', 'create', name, folder);
  await enable();
}

/**
 * Keeps the plugin's id, state, settings and networks. Containers keep their network meanwhile; none can be started or
 * stopped for the moment that it is disabled.
 */
async function upgrade({ Enabled, Config }: Installed): Promise<void> {
  const endpoint = await docker('context', 'inspect', '-f', '{{.Endpoints.docker.Host}}');
  if (!endpoint.startsWith('unix://')) {
    throw new Error(
      `the engine of ${endpoint} takes an upgrade only from a registry that it reaches: push the plugin there (docs/managed-plugin.md)`,
    );
  }
  say(`upgrading ${name}, which is ${Config.Description}`);
  const image = await imageOf(folder);
  await using registry = await serveImage(image);
  if (Enabled) await docker('plugin', 'disable', '-f', name);
  const reference = `${registry.address}/tsnet:${image.manifest.digest.slice(7, 19)}`;
  try {
    await docker('plugin', 'upgrade', '--grant-all-permissions', '--skip-remote-check', name, reference);
  } finally {
    // What was there works on when its successor cannot be had.
    await enable();
  }
}

async function enable(): Promise<void> {
  const start = performance.now();
  await docker('plugin', 'enable', name);
  say(`enabled ${name} within ${Math.round(performance.now() - start)} ms`);
}

/** Runs docker. @throws Error with its own words */
async function docker(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr, shortMessage } = await execa('docker', args, { reject: false });
  if (exitCode !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr || shortMessage}`);
  return stdout;
}

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}
