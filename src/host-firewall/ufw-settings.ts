export interface UfwSettings {
  readonly enabled: boolean;
  /** What happens to packets to the host that no rule is about. */
  readonly inputPolicy: 'allow' | 'deny';
  /** Whether ufw has rules for IPv6; without them it lets none of it in. */
  readonly ipv6: boolean;
}

/** An assignment as ufw reads it in Python and its boot script in shell; a comment may follow. */
const ASSIGNMENT = /^([A-Za-z0-9_]+)=(["']?)(\w+)\2\s*(#.*)?$/;

/**
 * ufw's settings. Of a name that is set twice the last counts, ufw.conf after the defaults (_get_defaults in
 * ufw/backend.py).
 * @param defaults text of /etc/default/ufw
 * @param conf text of /etc/ufw/ufw.conf
 */
export function ufwSettings(defaults: string, conf: string): UfwSettings {
  const values = new Map(
    `${defaults}\n${conf}`.split('\n').flatMap(line => {
      const [, name = '', , value = ''] = ASSIGNMENT.exec(line.trimEnd()) ?? [];
      return name === '' ? [] : [[name.toLowerCase(), value.toLowerCase()] as const];
    }),
  );
  return {
    enabled: values.get('enabled') === 'yes',
    inputPolicy: values.get('default_input_policy') === 'accept' ? 'allow' : 'deny',
    ipv6: values.get('ipv6') === 'yes',
  };
}
