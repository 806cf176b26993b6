import type { LibraryHandle } from 'koffi';
import { TsnetError } from '../../errors.ts';
import koffi from '../koffi.ts';

/** The functions of libnftables(3) that tsnet calls; contexts are opaque pointers. */
const bind = (library: LibraryHandle) => ({
  open: library.func('void *nft_ctx_new(uint32_t flags)'),
  free: library.func('void nft_ctx_free(void *context)'),
  bufferOutput: library.func('int nft_ctx_buffer_output(void *context)'),
  bufferError: library.func('int nft_ctx_buffer_error(void *context)'),
  output: library.func('const char *nft_ctx_get_output_buffer(void *context)'),
  error: library.func('const char *nft_ctx_get_error_buffer(void *context)'),
  setFlags: library.func('void nft_ctx_output_set_flags(void *context, unsigned int flags)'),
  run: library.func('int nft_run_cmd_from_buffer(void *context, const char *commands)'),
});

export type Library = ReturnType<typeof bind>;

/**
 * NFT_CTX_OUTPUT_JSON and _NUMERIC_PROTO of <nftables/libnftables.h>. For a protocol's name the library would ask getprotobynumber(3),
 * whose one buffer all threads share: a listing made beside another one would now and then show the wrong protocol.
 */
export const OUTPUT_JSON = (1 << 4) | (1 << 7);

const SONAME = 'libnftables.so.1';
let loaded: Library | undefined;

/**
 * Loads libnftables at the first call, so that a host without it can run everything but a firewall.
 * @throws TsnetError FIREWALL when the dynamic linker does not find the library
 */
export function loadLibrary(): Library {
  if (loaded) return loaded;
  try {
    loaded = bind(koffi.load(SONAME));
    return loaded;
  } catch (error) {
    throw new TsnetError('FIREWALL', `${SONAME} cannot be loaded: ${(error as Error).message}`, {
      cause: error,
      remedy: 'Install the package libnftables1 (Debian, Ubuntu) or nftables (other distributions).',
    });
  }
}
