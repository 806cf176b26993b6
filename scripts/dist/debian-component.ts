import type { DebianPackage } from '../plugin/packages.ts';
import type { Component } from './sbom.ts';

/** A package of Debian as a part of a release; the form of its package URL is that of package-url/purl-spec, type deb. */
export function debianComponent({ name, version, architecture }: DebianPackage): Component {
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
  return { 'bom-ref': purl, type: 'library', name, version, purl };
}
