/**
 * How the page of a folder looks, and what a browser is allowed to do with it. It holds no script,
 * loads nothing and sends nothing; a name that got through as markup would still find all switched
 * off.
 */

/** Light and dark by the system's wish; names wrap, so that 320 CSS pixels are wide enough. */
export const FOLDER_STYLE =
  ":root{color-scheme:light dark}" +
  "body{margin:0 auto;max-width:60rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif}" +
  "h1{font-size:1.25rem;overflow-wrap:anywhere}" +
  "table{width:100%;border-collapse:collapse}" +
  "th{text-align:left}" +
  "td,th{padding:.25rem .5rem;border-bottom:1px solid #8884;vertical-align:top}" +
  "td:first-child{overflow-wrap:anywhere}" +
  ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}" +
  "a{color:#0645ad}" +
  "@media(prefers-color-scheme:dark){body{background:#16181c;color:#e6e6e6}a{color:#8ab4f8}}" +
  "@media(max-width:30rem){.t{display:none}body{padding:.5rem}td,th{padding:.25rem}}";

/** SHA-256 of FOLDER_STYLE in base64: the one style that the policy allows. A test compares. */
export const FOLDER_STYLE_SHA256 = "ztQsdq0NEtYjYKh570I77XfgPzmUNfL+ToTe1hKpCis=";

/**
 * Content-Security-Policy of the page. `sandbox` takes scripts, forms and the server's origin from
 * it; downloads it may start.
 */
export const FOLDER_POLICY =
  `default-src 'none'; style-src 'sha256-${FOLDER_STYLE_SHA256}'; base-uri 'none'; ` +
  "form-action 'none'; frame-ancestors 'none'; sandbox allow-downloads";
