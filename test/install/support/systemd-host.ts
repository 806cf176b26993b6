import { join } from 'node:path';
import { execa } from 'execa';
import { busyboxTar } from '../../lab/image.ts';
import { Lab, type LabOptions } from '../../lab/lab.ts';
import type { ExecOptions, ExecResult } from '../../lab/node.ts';
import { children, comm, runs } from '../../lab/proc.ts';
import { waitFor } from '../../lab/wait.ts';

const BOOT = join(import.meta.dirname, 'systemd-boot.sh');
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A lab host that has booted Debian's own systemd, with the units of Debian's docker.io, none of them running yet. */
export class SystemdHost implements AsyncDisposable {
  readonly lab: Lab;
  #pid = 0;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  static async create(
    options: Omit<LabOptions, 'hosts'> & Pick<NonNullable<LabOptions['hosts']>[number], 'engine'> = {},
  ): Promise<SystemdHost> {
    const { engine, ...rest } = options;
    const lab = await Lab.create({
      ...rest,
      hosts: [{ autostart: false, ...(engine === undefined ? {} : { engine }) }],
    });
    const host = new SystemdHost(lab);
    try {
      await host.#boot();
      return host;
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  /** Power off and on again: the disk stays, processes and the kernel's network are gone. Needs a lab with `disk: 'dir'`. */
  async reboot(): Promise<void> {
    await this.lab.host().crash();
    await this.lab.host().boot();
    await this.#boot();
  }

  /** An orderly reboot: systemd stops every unit, then the power goes off and on again. Needs a lab with `disk: 'dir'`. */
  async restart(): Promise<void> {
    const init = this.#pid;
    await this.exec('systemctl', ['exit']);
    await waitFor(() => comm(init) !== 'systemd' && !runs(init), {
      timeout: 60_000,
      what: () => `systemd to stop all units:\n${comm(init)}`,
    });
    await this.reboot();
  }

  async #boot(): Promise<void> {
    const parent = await this.lab.host().spawn('bash', [BOOT]);
    this.#pid = await waitFor(
      () => {
        if (!parent.running) throw new Error(`systemd did not boot:\n${parent.output()}`);
        return children(parent.pid).find(pid => comm(pid) === 'systemd');
      },
      { what: () => `systemd to start:\n${parent.output()}` },
    );
    let state = '';
    await waitFor(
      async () => {
        state = String((await this.exec('systemctl', ['is-system-running'], { reject: false })).stdout);
        return state === 'running' || state === 'degraded';
      },
      { timeout: 60_000, what: () => `systemd to have booted; it is ${state}` },
    );
  }

  /** Runs a program as root, as from a console. */
  exec(file: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<ExecResult> {
    const { cwd = '/', env, timeout, ...rest } = options;
    // Inside: what nsenter leaves behind when it is killed would hold its output open.
    const limit = timeout === undefined ? [] : ['timeout', '-k', '1', String(timeout / 1000)];
    return execa('nsenter', ['-t', String(this.#pid), '-a', `--wdns=${cwd}`, '--', ...limit, file, ...args], {
      ...(rest.input === undefined ? { stdin: 'ignore' as const } : {}),
      ...rest,
      extendEnv: false,
      env: { PATH, HOME: '/root', LANG: 'C.UTF-8', SYSTEMD_PAGER: '', ...env },
    }) as Promise<ExecResult>;
  }

  /** Runs a line of shell and returns what it printed. @throws Error when it fails */
  async sh(line: string, options: ExecOptions = {}): Promise<string> {
    return String((await this.exec('sh', ['-ec', line], options)).stdout);
  }

  /** Runs something that has to fail. @returns everything it printed */
  async refused(file: string, ...args: string[]): Promise<string> {
    const result = await this.exec(file, args, { reject: false });
    if (result.exitCode === 0) throw new Error(`${file} ${args.join(' ')} succeeded: ${result.stdout}`);
    return `${result.stdout}\n${result.stderr}`;
  }

  /** Runs docker and returns what it printed. @throws Error with its words and the end of the journal when it fails */
  async docker(...args: string[]): Promise<string> {
    const result = await this.exec('docker', args, { reject: false });
    if (result.exitCode !== 0) {
      throw new Error(`docker ${args.join(' ')}: ${result.stderr}\n${await this.journal('-n', '40')}`);
    }
    return String(result.stdout).trim();
  }

  /** Imports the busybox image. */
  async loadImage(): Promise<void> {
    const importing = ['import', '--change', 'CMD ["sh"]', '-', 'busybox:latest'];
    await this.exec('docker', importing, { input: await busyboxTar() });
  }

  /** Text of the journal. @param args of journalctl */
  async journal(...args: string[]): Promise<string> {
    return String((await this.exec('journalctl', ['--no-pager', ...args])).stdout);
  }

  /** One property of a unit, as `systemctl show` has it. */
  async property(unit: string, name: string): Promise<string> {
    return String((await this.exec('systemctl', ['show', '--value', '-p', name, unit])).stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.destroy();
  }
}
