import { canonical } from '../addresses.ts';
import type { EngineAttachment, EngineContainer, EnginePort } from './types.ts';

/** The parts of `GET /containers/ID/json` that are read. */
interface Answer {
  Id: string;
  Name: string;
  State: { Running: boolean; Pid: number };
  HostConfig: {
    NetworkMode: string;
    PortBindings: Record<string, { HostIp: string; HostPort: string }[] | null> | null;
  };
  NetworkSettings: { SandboxKey: string; Networks: Record<string, AttachmentAnswer> | null };
}

interface AttachmentAnswer {
  NetworkID: string;
  EndpointID: string;
  MacAddress: string;
  IPAddress: string;
  IPPrefixLen: number;
  Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  IPv6Gateway: string;
  IPAMConfig: { IPv4Address?: string; IPv6Address?: string } | null;
}

/** @param body of the engine's answer */
export function readContainer(body: unknown): EngineContainer {
  const { Id, Name, State, HostConfig, NetworkSettings } = body as Answer;
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    running: State.Running,
    pid: State.Pid,
    sandbox: NetworkSettings.SandboxKey,
    ownNamespace: !/^(host|container:)/.test(HostConfig.NetworkMode),
    attachments: Object.entries(NetworkSettings.Networks ?? {}).map(readAttachment),
    ports: Object.entries(HostConfig.PortBindings ?? {}).flatMap(readPorts),
  };
}

function readAttachment([network, answer]: [string, AttachmentAnswer]): EngineAttachment {
  const both = <T>(four: T, six: T, keep: (one: T) => boolean): T[] => [four, six].filter(keep);
  // Some engines write down an address that is none as `<nil>` or `invalid IP`.
  const isAddress = (text: string | undefined): boolean => /^[0-9a-f.:]+$/i.test(text ?? '');
  return {
    network,
    networkId: answer.NetworkID,
    endpointId: answer.EndpointID,
    addresses: both(
      { address: answer.IPAddress, length: answer.IPPrefixLen },
      { address: answer.GlobalIPv6Address, length: answer.GlobalIPv6PrefixLen },
      ({ address }) => isAddress(address),
    ).map(({ address, length }) => `${canonical(address)}/${length}`),
    mac: answer.MacAddress.toLowerCase(),
    gateways: both(answer.Gateway, answer.IPv6Gateway, isAddress).map(canonical),
    asked: both(answer.IPAMConfig?.IPv4Address, answer.IPAMConfig?.IPv6Address, isAddress).map(address =>
      canonical(address ?? ''),
    ),
  };
}

function readPorts([port, bindings]: [string, { HostIp: string; HostPort: string }[] | null]): EnginePort[] {
  const [number, protocol = 'tcp'] = port.split('/');
  return (bindings ?? []).map(({ HostIp, HostPort }) => ({
    protocol,
    container: Number(number),
    hostIp: HostIp,
    // A range is any of its ports.
    host: /^\d+$/.test(HostPort) ? Number(HostPort) : 0,
  }));
}
