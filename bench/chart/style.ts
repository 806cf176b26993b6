/** Readable on light and dark pages; the reader's system has the fonts. */
export const STYLE = `
  svg { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; font-size: 12px }
  .page { fill: #ffffff }
  text { fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .head { font-weight: 600 }
  .faint { fill: #59636e; font-size: 11px }
  .grid { stroke: #d1d9e0 }
  .one { stroke: #59636e; stroke-width: 1.5 }
  .bridge { fill: #2a78d6 }
  .macvlan { fill: #d9672a }
  .floor { stroke: #1f2328; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    text { fill: #f0f6fc }
    .faint { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .one { stroke: #9198a1 }
    .bridge { fill: #4c94ee }
    .macvlan { fill: #ee8a54 }
    .floor { stroke: #f0f6fc }
  }
`;
