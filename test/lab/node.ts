import { readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa, type Options, type Result } from 'execa';
import { type Child, startChild } from './child.ts';
import { type Holder, type HolderSpec, killHolder, startHolder } from './holder.ts';
import { holderMark, runMark } from './paths.ts';
import { argv } from './proc.ts';

/** How a command runs in a node. */
export interface ExecOptions {
  /** Directory inside the node. Default `/`. */
  cwd?: string;
  env?: Record<string, string>;
  /** What it reads from standard input; nothing by default. */
  input?: string | Uint8Array;
  /** Milliseconds after which it is killed. Default: none. */
  timeout?: number;
  /** Whether a status other than 0 is thrown. Default true. */
  reject?: boolean;
  /** `inherit` hands the caller's terminal on, for use by hand. */
  stdio?: 'inherit';
}

/** What a command said and how it ended. */
export type ExecResult = Result<Options & { encoding?: 'utf8' }>;

/**
 * One machine of a lab: a process tree in namespaces of its own, with a private root, /run, /tmp and /sys.
 * This class knows nothing of Docker: the LAN node is nothing more than this.
 */
export class LabNode {
  readonly name: string;
  /** Its directory, seen at the same path on the machine and inside. */
  readonly dir: string;
  protected readonly spec: HolderSpec;
  #holder: Holder | undefined;
  #logs = 0;

  constructor(spec: HolderSpec) {
    this.spec = spec;
    this.name = spec.name;
    this.dir = spec.dir;
    this.#holder = this.#readHolder();
  }

  /** Number on the machine of the node's process 1. @throws Error when the node is down */
  get pid(): number {
    if (this.#holder === undefined) throw new Error(`lab: ${this.name} is down`);
    return this.#holder.pid;
  }

  /** True between `boot` and `crash`. */
  get isUp(): boolean {
    return this.#holder !== undefined;
  }

  /** Starts the namespaces; no program runs in them yet. */
  protected async powerOn(): Promise<void> {
    if (this.#holder !== undefined) throw new Error(`lab: ${this.name} is up already`);
    await mkdir(this.dir, { recursive: true });
    this.#holder = await startHolder(this.spec);
    await writeFile(this.#holderFile, JSON.stringify(this.#holder));
  }

  /** Ends every process of the node at once, as a power failure does. */
  async crash(): Promise<void> {
    if (this.#holder === undefined) return;
    await killHolder(this.#holder);
    this.#holder = undefined;
    rmSync(this.#holderFile, { force: true });
  }

  /** Runs a program in all of the node's namespaces, as root, and waits for its end. */
  async exec(file: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<ExecResult> {
    const { cwd, env, ...rest } = options;
    return execa('nsenter', this.#enter(file, args, cwd), {
      ...(rest.input === undefined && rest.stdio === undefined ? { stdin: 'ignore' as const } : {}),
      ...rest,
      extendEnv: false,
      env: { ...environment(), ...env },
    }) as Promise<ExecResult>;
  }

  /** Runs a line of shell in the node. */
  async sh(line: string, options: ExecOptions = {}): Promise<ExecResult> {
    return this.exec('bash', ['-ec', line], options);
  }

  /**
   * Starts a long-lived program in the node; it dies with the node at the latest.
   *
   * @param options.log file for its output, default a new one in the node's directory
   */
  async spawn(
    file: string,
    args: readonly string[] = [],
    options: { log?: string; cwd?: string; env?: Record<string, string> } = {},
  ): Promise<Child> {
    this.#logs += 1;
    return startChild({
      file: 'nsenter',
      args: this.#enter(file, args, options.cwd),
      env: { ...environment(), ...options.env },
      log: options.log ?? join(this.dir, `spawn-${process.pid}-${this.#logs}.log`),
    });
  }

  #enter(file: string, args: readonly string[], cwd = '/'): string[] {
    return ['-t', String(this.pid), '-a', `--wdns=${cwd}`, '--', file, ...args];
  }

  get #holderFile(): string {
    return join(this.dir, 'holder.json');
  }

  /** The processes of a node that another process has booted, if they still are that node's. */
  #readHolder(): Holder | undefined {
    try {
      const holder = JSON.parse(readFileSync(this.#holderFile, 'utf8')) as Holder;
      return argv(holder.pid).includes(holderMark(this.spec.lab)) ? holder : undefined;
    } catch {
      return undefined;
    }
  }
}

/** The environment of programs in a node: nothing of the caller's, but the same `node` first in PATH. */
function environment(): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: '/root',
    LANG: 'C.UTF-8',
    TSNET_TEST_RUN: runMark(),
  };
}
