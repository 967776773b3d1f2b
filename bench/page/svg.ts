/** Owns how SVG and HTML are written: elements as strings, with everything from outside escaped. */

/** Markup that is already escaped. */
export type Markup = string & { readonly markup?: never };

export type Attributes = Readonly<Record<string, string | number | null>>;

/** Text as it may stand in an element or an attribute. */
export function escaped(text: string): Markup {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** An element; attributes that are null are left out, numbers are rounded to a tenth. */
export function element(name: string, attributes: Attributes, ...children: Markup[]): Markup {
  const words = Object.entries(attributes).flatMap(([key, value]) =>
    value === null
      ? []
      : [` ${key}="${typeof value === "number" ? short(value) : escaped(value)}"`],
  );
  return `<${name}${words.join("")}>${children.join("")}</${name}>`;
}

/** Text in an element of SVG. */
export function label(text: string, x: number, y: number, more: Attributes = {}): Markup {
  return element("text", { x, y, ...more }, escaped(text));
}

// --- internal ---

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}
