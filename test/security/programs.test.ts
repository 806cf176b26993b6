import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCES = globSync('src/**/*.ts', { cwd: join(import.meta.dirname, '../..') });
const read = (file: string): string => readFileSync(join(import.meta.dirname, '../..', file), 'utf8');

/** The files in which a text is found. */
const filesWith = (text: RegExp): string[] => SOURCES.filter(file => text.test(read(file))).sort();

describe('what tsnet starts', () => {
  it('is two programs, each in one file', () => {
    expect(filesWith(/from '(?:execa|(?:node:)?child_process)'/)).toEqual([
      'src/host-firewall/firewalld.ts',
      'src/kernel/nft/docker-user-legacy.ts',
    ]);
  });

  it('is never a shell, and no code is made of text', () => {
    expect(filesWith(/\bshell\s*:|execaCommand|\$`|\beval\(|new Function\(|node:vm/)).toEqual([]);
  });

  it('gets arguments that are constants, or names of links behind an option', () => {
    const legacy = read('src/kernel/nft/docker-user-legacy.ts');
    expect([...legacy.matchAll(/(?:execa|await iptables)\(.*/g)].map(match => match[0])).toEqual([
      "execa(program, ['-w', '5', ...args], { reject: false, timeout: 10_000 });",
      "await iptables('-S', DOCKER_USER);",
      "await iptables(count < wanted ? '-I' : '-D', DOCKER_USER, ...legacyRule());",
    ]);
    const firewalld = read('src/host-firewall/firewalld.ts');
    expect([...firewalld.matchAll(/await run\((.*)\);/g)].map(match => match[1])).toEqual([
      "'--get-active-zones'",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
      '`--zone=${zone}`, ...links.map(link => `--${option}-interface=${link}`)',
      "'--get-zones'",
    ]);
  });
});
