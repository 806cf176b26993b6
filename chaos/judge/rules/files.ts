import { basename } from 'node:path';
import type { Look } from '../look.ts';
import { type Rule, violation } from '../violations.ts';

/** What tsnet keeps in its state directory; damaged files are kept for the one who is told of them. */
const STATE = /^(lock\.db|tsnet\.db(\.good|\.damaged-\d+)?(-wal|-shm)?)$/;

/** tsnet has left no files but its own behind: in its state directory, beside its socket, among temporary ones. */
export const fileRules: Rule<Look> = ({ files, target }) => [
  ...files.state
    .filter(name => !STATE.test(name))
    .map(name => violation('file-of-nothing', name, `lies in ${target.daemon.stateDir}`)),
  ...files.plugins
    .filter(name => name !== basename(target.daemon.socket) && /tsnet/.test(name))
    .map(name => violation('file-of-nothing', name, 'lies beside the plugin socket')),
  // The lab's own directory is there, too.
  ...files.temporary
    .filter(path => /\/(?!tsnet-lab-)[^/]*(tsnet|koffi)[^/]*$/.test(path))
    .map(path => violation('file-of-nothing', path, 'is left of something temporary')),
];
