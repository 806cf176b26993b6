/** What DEBIAN/control is made from. */
export interface PackageFacts {
  readonly version: string;
  readonly architecture: string;
  /** One line. */
  readonly description: string;
  /** As Depends names them. */
  readonly libraries: readonly string[];
  /** KiB on disk. */
  readonly size: number;
}

const MAINTAINER = 'The tsnet authors <tsnet@localhost>';

/** DEBIAN/control, deb-control(5). */
export function control({ version, architecture, description, libraries, size }: PackageFacts): string {
  return `Package: tsnet
Version: ${version}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${size}
Depends: ${[...libraries, 'libnftables1 (>= 1.0)', 'init-system-helpers (>= 1.52)'].join(', ')}
Recommends: docker.io | docker-ce
Suggests: iptables
Enhances: docker.io, docker-ce
Section: net
Priority: optional
Description: ${synopsis(description)}
 One daemon that the Docker Engine finds by its plugin socket: networks of
 driver tsnet are bridges or macvlan children of a network card, their
 published ports work from everywhere, and the host reaches its containers.
 .
 The daemon is started ahead of the engine, by tsnet.socket and tsnet.service.
`;
}

/** The first part of a description: a synopsis has no article, no full stop and less than 80 characters (Debian Policy 3.4.1). */
const synopsis = (description: string): string => description.replace(/^An? /, '').replace(/[,.].*$/, '');

/** usr/share/doc/tsnet/copyright (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/). */
export const copyright =
  (): string => `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: tsnet
Comment: The executable holds Node.js and packages of others; their licences are in
 THIRD-PARTY-LICENSES beside this file.

Files: *
Copyright: The tsnet authors
License: Apache-2.0

License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
`;

/** usr/share/doc/tsnet/changelog.Debian. @param seconds since 1970 */
export function changelog(version: string, seconds: number): string {
  const date = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
  return `tsnet (${version}) unstable; urgency=medium

  * The package of this version; what has changed is in CHANGELOG.md.

 -- ${MAINTAINER}  ${date}
`;
}
