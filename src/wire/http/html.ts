/** Text as HTML: between tags, or in an attribute whose value stands in double quotes. */

/** `text` with what could be markup as entities: of a character at most six. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

// --- internal ---

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
