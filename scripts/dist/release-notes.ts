/**
 * What the changelog says of one version.
 * @param changelog Markdown with a heading `## VERSION - DATE` for each version
 * @throws Error when it does not have that version
 */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^(?=## )/m);
  const section = sections.find(text => text.startsWith(`## ${version} - `));
  if (section === undefined) throw new Error(`dist: CHANGELOG.md says nothing of version ${version}`);
  return `${section.trim()}\n`;
}
