import { readdirSync, readFileSync } from 'node:fs';
import type { Usage } from './target.ts';

/** @param pid of a process that is there, or `self` */
export function usageOf(pid: number | 'self'): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  return { memory: kilobytes / 1024, files: readdirSync(`/proc/${pid}/fd`).length };
}
