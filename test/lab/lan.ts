import type { HolderSpec } from './holder.ts';
import { type AddressPlan, makeSwitches } from './net.ts';
import { LabNode } from './node.ts';

/** The LAN itself: a node with the switches that all hosts are plugged into, and an address on each. */
export class LanNode extends LabNode {
  readonly #plan: AddressPlan;
  readonly #segments: number;

  constructor(spec: HolderSpec, plan: AddressPlan, segments: number) {
    super(spec);
    this.#plan = plan;
    this.#segments = segments;
  }

  /** Starts the node and its switches. */
  async boot(): Promise<void> {
    await this.powerOn();
    await makeSwitches(this.pid, this.#plan, this.#segments);
  }
}
