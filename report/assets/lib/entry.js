// What the report's page uses of its libraries. "make report-assets" bundles it.
export { html, svg, render, nothing } from 'lit-html';
export { live } from 'lit-html/directives/live.js';
export { sankey, sankeyLinkHorizontal } from 'd3-sankey';
