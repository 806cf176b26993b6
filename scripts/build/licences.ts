import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bundle } from './bundle.ts';

/** Where a package lies below the root: the innermost node_modules of a path counts. */
const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;

/**
 * The packages that have a part in the bundle.
 * @returns their directories below the project's root, each once, in the order of names
 */
export function packagesIn(bundle: Bundle): string[] {
  const used = [...bundle.inputs].filter(([, bytes]) => bytes > 0);
  return [...new Set(used.flatMap(([path]) => PACKAGE.exec(path)?.[0] ?? []))].sort();
}

/** Directories of the packages whose compiled files are in the executable. */
export function nativePackages(): string[] {
  return [`node_modules/node-linux-${process.arch}`, `node_modules/@koromix/koffi-linux-${process.arch}`];
}

/**
 * What the makers of the parts of the executable ask to be handed on with it: a text with the licences of Node, of koffi's
 * compiled half, whose file of licence is koffi's own, and of every package in the bundle.
 * @throws Error when a package neither has a file of licence nor states one
 */
export async function thirdPartyLicences(root: string, bundle: Bundle): Promise<string> {
  const packages = [...nativePackages(), ...packagesIn(bundle)];
  const sections = await Promise.all(packages.map(directory => section(root, directory)));
  const preface =
    'tsnet itself is under the Apache License 2.0 (see LICENSE). Its executable contains the software below.\n';
  return [preface, ...sections].join('\n');
}

async function section(root: string, directory: string): Promise<string> {
  const { name, version, license } = JSON.parse(
    await readFile(join(root, directory, 'package.json'), 'utf8'),
  );
  const files = (await readdir(join(root, directory))).filter(file => LICENCE_FILE.test(file)).sort();
  const texts = await Promise.all(files.map(file => readFile(join(root, directory, file), 'utf8')));
  if (typeof license !== 'string' && texts.length === 0)
    throw new Error(`licences: ${directory} has no licence that could be handed on`);
  const title = `${name} ${version}${typeof license === 'string' ? ` (${license})` : ''}`;
  const body = texts.length > 0 ? texts : [`Licence as stated in its package.json: ${license}\n`];
  return [`${'='.repeat(80)}\n${title}\n${'='.repeat(80)}\n`, ...body.map(text => `${text.trim()}\n`)].join(
    '\n',
  );
}
