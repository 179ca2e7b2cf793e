/** HTML that is safe by construction: whatever is put into a template is escaped, unless it is markup itself. */

/** Text that is HTML already. Only {@link html} and {@link trusted} make it. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Content = Markup | string | number | null | undefined | false | readonly Content[];

/** Markup of a template. Texts are escaped for elements and for attributes in double quotes; nothing comes of null and false. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(parts.reduce((text, part, i) => text + render(contents[i - 1]) + part));
}

/** Text of this program's own that is markup. Never give it anything from elsewhere. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

/** Data as the text of a `<script type="application/json">`: nothing in it can end the element. */
export function embeddedJson(data: object): Markup {
  return new Markup(JSON.stringify(data).replaceAll('<', '\\u003c'));
}

function render(content: Content): string {
  if (content === null || content === undefined || content === false) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(render).join('');
  return String(content).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
