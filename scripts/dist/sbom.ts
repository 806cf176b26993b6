import { createHash } from 'node:crypto';
import { execa } from 'execa';

/** The parts of CycloneDX 1.5 that are changed here (https://cyclonedx.org/docs/1.5/json/); the rest is handed on. */
export interface Sbom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: Component };
  components: readonly Component[];
  dependencies: readonly Dependency[];
}

export interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

interface Dependency {
  readonly ref: string;
  readonly dependsOn?: readonly string[];
}

/**
 * What npm knows of everything in node_modules, also what only builds and tests.
 * @param root the project's directory
 */
export async function sbomOfNpm(root: string): Promise<Sbom> {
  const { stdout } = await execa('npm', ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'], {
    cwd: root,
  });
  return JSON.parse(stdout);
}

/**
 * The bill of what a release contains. Says the same of the same contents: it carries no time, and its serial number is derived
 * from the rest.
 * @param sbom of everything that is installed
 * @param name of the application, where npm takes the directory's
 * @param contained `name@version` of the packages that are in the executable
 * @param more what else is in a release
 * @throws Error when npm does not know a package that is in the executable
 */
export function billOf(
  sbom: Sbom,
  name: string,
  contained: ReadonlySet<string>,
  more: readonly Component[],
): Sbom {
  const components = sbom.components.filter(component =>
    contained.has(`${component.name}@${component.version}`),
  );
  const known = new Set(components.map(component => `${component.name}@${component.version}`));
  const missing = [...contained].filter(id => !known.has(id));
  if (missing.length > 0) throw new Error(`dist: npm does not list ${missing.join(', ')}`);

  const root = sbom.metadata.component;
  const kept = new Set([root['bom-ref'], ...components.map(component => component['bom-ref'])]);
  const dependencies = sbom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(on => kept.has(on)) }));
  const { timestamp: _, ...metadata } = sbom.metadata;
  const bill = {
    ...sbom,
    metadata: { ...metadata, component: { ...root, name } },
    components: [...components, ...more],
    dependencies,
  };
  return { ...bill, serialNumber: serialNumber({ ...bill, serialNumber: undefined }) };
}

/** A UUID of version 8 (RFC 9562, 5.8), made of the contents. */
function serialNumber(contents: object): string {
  const digest = createHash('sha256').update(JSON.stringify(contents)).digest('hex');
  const uuid = /^(.{8})(.{4})(.{3})(.{3})(.{12})/.exec(digest);
  if (uuid === null) throw new Error('dist: a digest of SHA-256 has 64 digits');
  const [, first, second, third, fourth, fifth] = uuid;
  return `urn:uuid:${first}-${second}-8${third}-8${fourth}-${fifth}`;
}
