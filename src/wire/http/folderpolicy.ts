/**
 * What a browser lets the page of a folder do: its one style and its one script, by their digests,
 * and no more. It loads nothing and sends nothing; a name that got through as markup would find all
 * else switched off.
 */

/** SHA-256 of FOLDER_STYLE in base64. A test compares. */
export const FOLDER_STYLE_SHA256 = "Itz5PjZOZ+07Ch4dt2cm8ivM7IAzht16ErrsiKENmv4=";

/** SHA-256 of FOLDER_SCRIPT in base64. A test compares. */
export const FOLDER_SCRIPT_SHA256 = "QUu952t/o6i5K0JfeUt1dJMv6P9/KcQ9qCjtU3fAaws=";

/**
 * Content-Security-Policy of the page. `sandbox` takes forms, popups and the server's origin from
 * it. It leaves the script above, and downloads: without that flag a link to a file that no browser
 * shows does nothing.
 */
export const FOLDER_POLICY =
  `default-src 'none'; script-src 'sha256-${FOLDER_SCRIPT_SHA256}'; ` +
  `style-src 'sha256-${FOLDER_STYLE_SHA256}'; base-uri 'none'; form-action 'none'; ` +
  "frame-ancestors 'none'; sandbox allow-downloads allow-scripts";
