/**
 * What a browser lets the page of a folder do: its one style and its one script, by their digests,
 * and no more. It loads nothing and sends nothing; a name that got through as markup would find all
 * else switched off.
 */

/** SHA-256 of FOLDER_STYLE in base64. A test compares. */
export const FOLDER_STYLE_SHA256 = "8WaLqvXLefoZUaqR8xmUVKbDWs3Bm0V9OF5Iur/Ojb0=";

/** SHA-256 of FOLDER_SCRIPT in base64. A test compares. */
export const FOLDER_SCRIPT_SHA256 = "jUIqxXKe/Gc0Bcnkhw7H7FI21tJXbcfQNCA/mkZdWAQ=";

/**
 * Content-Security-Policy of the page. `sandbox` takes forms, popups and the server's origin from
 * it. It leaves the script above, and downloads: without that flag a link to a file that no browser
 * shows does nothing.
 */
export const FOLDER_POLICY =
  `default-src 'none'; script-src 'sha256-${FOLDER_SCRIPT_SHA256}'; ` +
  `style-src 'sha256-${FOLDER_STYLE_SHA256}'; base-uri 'none'; form-action 'none'; ` +
  "frame-ancestors 'none'; sandbox allow-downloads allow-scripts";
