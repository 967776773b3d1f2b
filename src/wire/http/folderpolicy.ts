/**
 * What a browser lets the page of a folder do: its one style and its one script, by their digests,
 * and no more. It loads nothing and sends nothing; a name that got through as markup would find all
 * else switched off.
 */

/** SHA-256 of FOLDER_STYLE in base64. A test compares. */
export const FOLDER_STYLE_SHA256 = "uMKnK3NQ24huhT7bcLVt7L7POjA9O2TYhA9GBHZ0ur0=";

/** SHA-256 of FOLDER_SCRIPT in base64. A test compares. */
export const FOLDER_SCRIPT_SHA256 = "E5z3TwyHYFCbrOKv6F4m8Lgwf1I+O2VQnkwP/ROzGgo=";

/**
 * Content-Security-Policy of the page. `sandbox` takes forms, popups and the server's origin from
 * it. It leaves the script above, and downloads: without that flag a link to a file that no browser
 * shows does nothing.
 */
export const FOLDER_POLICY =
  `default-src 'none'; script-src 'sha256-${FOLDER_SCRIPT_SHA256}'; ` +
  `style-src 'sha256-${FOLDER_STYLE_SHA256}'; base-uri 'none'; form-action 'none'; ` +
  "frame-ancestors 'none'; sandbox allow-downloads allow-scripts";
