/** `make dist`: makes dist/release of what `make plugin` and `make deb` have built; see release.ts. */
import { join } from 'node:path';
import { makeRelease } from './release.ts';

const root = join(import.meta.dirname, '../..');
await makeRelease(root, join(root, 'dist'));
process.stdout.write('dist/release\n');
