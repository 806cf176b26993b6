import koffi from 'koffi';

/**
 * koffi with stacks on which libnftables can run. Asynchronous calls get 128 KiB by default, and libnftables 1.1
 * overruns that when it lists a chain (measured: SIGSEGV with 1.1.3; 192 KiB are enough for it), as it takes netlink
 * buffers of 70 KB from the stack and expects the 8 MiB of a thread. Pages never touched cost no memory.
 */
export const ASYNC_STACK = 2 * 1024 * 1024;

/** koffi takes settings only before the first koffi.load() of a process: whoever loads a library imports it from here. */
function configure(): void {
  try {
    koffi.config({ async_stack_size: ASYNC_STACK });
  } catch {
    // Loaded already by a module that imports koffi directly.
  }
}

if ((koffi.config().async_stack_size ?? 0) < ASYNC_STACK) configure();

export default koffi;
