import { readEngine } from './engine/read-engine.ts';
import type { EngineView } from './engine/types.ts';
import { type HostFiles, readFiles } from './files/read-files.ts';
import { readKernel } from './kernel/read-kernel.ts';
import type { KernelView, NamespaceView } from './kernel/types.ts';
import { type Promises, promisesOf } from './promise/endpoint.ts';
import { readStore, type StoreView } from './store/read-store.ts';
import type { JudgeTarget } from './target.ts';

/** All that there is to see of a host at one moment. */
export interface Look {
  readonly target: JudgeTarget;
  readonly engine: EngineView;
  readonly kernel: KernelView;
  readonly store: StoreView;
  readonly files: HostFiles;
  readonly promises: Promises;
  readonly lan: NamespaceView | undefined;
}

/** @throws Error when something of it cannot be read */
export async function lookAt(target: JudgeTarget): Promise<Look> {
  const { host, lan } = target;
  const engine = await readEngine(host);
  const running = engine.containers.filter(({ running, ownNamespace }) => running && ownNamespace);
  const { kernel, lan: lanView } = await readKernel(
    host,
    running,
    lan === undefined ? undefined : `/proc/${lan.pid}/ns/net`,
  );
  return {
    target,
    engine,
    kernel,
    store: readStore(host, target.daemon.stateDir),
    files: readFiles(host, target.daemon),
    promises: promisesOf(engine, kernel.host),
    lan: lanView,
  };
}
