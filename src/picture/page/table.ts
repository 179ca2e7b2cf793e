/** A table of numbers; on a narrow screen every row is a card, whose numbers have their heads beside them. */
import { type Content, html, type Markup } from './markup.js';

export interface Row {
  /** What the row is about. */
  readonly head: Content;
  readonly cells: readonly Content[];
}

/** @param heads of the rows' heads, then of their cells */
export function numberTable(label: string, heads: readonly string[], rows: readonly Row[]): Markup {
  const [, ...labels] = heads;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="cards"><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows.map(
    ({ head, cells }) =>
      html`<tr><th scope="row">${head}</th>${cells.map((cell, i) => html`<td class="num" data-label="${labels[i]}">${cell}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}
