/**
 * How the page of a folder looks: light and dark by the system's wish, from 320 CSS pixels on. It
 * refers to nothing. Its digest stands in folderpolicy.ts.
 */

/**
 * Of each pair the first is for light. Text has a contrast of 4.5 or more on what it stands on, the
 * edge of the filter one of 3 (WCAG 1.4.3, 1.4.11).
 */
export const FOLDER_STYLE = `
:root{color-scheme:light dark;--page:#fff;--text:#1b1e23;--soft:#5c6470;--line:#e4e7eb;--edge:#858e9a;--raised:#f5f7f9;--link:#0a58c4;--folder:#b4690e}
@media(prefers-color-scheme:dark){:root{--page:#14161a;--text:#e3e6ea;--soft:#98a1ad;--line:#2b3037;--edge:#68717d;--raised:#1c2026;--link:#8ab6ff;--folder:#e0a458}}
*{box-sizing:border-box}
html{background:var(--page);color:var(--text);font:.9375rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:66rem;padding:2rem 1.5rem}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:4px}
.h{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
h1{margin:0;font-size:1.625rem;line-height:1.25;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere;unicode-bidi:isolate}
header p{margin:.25rem 0 1.25rem;color:var(--soft)}
nav ol{display:flex;flex-wrap:wrap;margin:0 0 .25rem;padding:0;list-style:none;color:var(--soft)}
nav li{overflow-wrap:anywhere;min-width:0}
nav li::after{content:"/";content:"/"/"";margin:0 .4em;color:var(--soft)}
main{position:relative}
details{margin-bottom:1rem}
summary{display:inline-block;list-style:none;padding:.375rem .75rem;border:1px solid var(--line);border-radius:6px;cursor:pointer;line-height:1.5}
summary::-webkit-details-marker{display:none}
summary::after{content:"";display:inline-block;width:.375rem;height:.375rem;margin:0 0 .1875rem .5rem;border:solid var(--soft);border-width:0 1.5px 1.5px 0;transform:rotate(45deg)}
[open] summary::after{margin-bottom:-.0625rem;transform:rotate(225deg)}
summary:hover,button:hover{background:var(--raised)}
dl{margin:.75rem 0 0;padding:.25rem 1rem;border:1px solid var(--line);border-radius:8px;background:var(--raised)}
dl div{padding:.625rem 0}
dl div+div{border-top:1px solid var(--line)}
dt{color:var(--soft);font-size:.8125rem}
dd{display:flex;gap:.75rem;align-items:flex-start;justify-content:space-between;margin:.125rem 0 0}
code,pre{font:.8125rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
code{-webkit-user-select:all;user-select:all;padding:.1875rem 0}
button{flex:none;min-width:4.5rem;padding:.1875rem .75rem;border:1px solid var(--line);border-radius:6px;background:var(--page);color:inherit;font:inherit;font-size:.8125rem;cursor:pointer}
#filter{position:absolute;top:0;right:0;width:16rem;margin:0}
#filter[hidden]{display:none}
input{width:100%;padding:.375rem 2rem .375rem .75rem;border:1px solid var(--edge);border-radius:6px;background:var(--page);color:inherit;font:inherit}
input:focus-visible{outline-offset:-1px}
input::placeholder{color:var(--soft);opacity:1}
kbd{position:absolute;top:.5rem;right:.5rem;width:1.375rem;border:1px solid var(--line);border-radius:4px;background:var(--raised);color:var(--soft);font:.75rem/1.25rem ui-monospace,monospace;text-align:center;pointer-events:none}
input:focus+kbd,input:not(:placeholder-shown)+kbd{display:none}
#said{position:absolute;top:0;right:17rem;margin:0;padding:.5rem 0;color:var(--soft);font-size:.8125rem}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th{padding:0;font-weight:inherit;text-align:left}
thead th{position:sticky;top:0;z-index:1;background:var(--page);box-shadow:inset 0 -1px var(--line);white-space:nowrap}
thead a{display:block;padding:.5rem .75rem;color:var(--soft);font-size:.8125rem}
thead a:hover,[aria-sort] a{color:var(--text)}
[aria-sort] a{font-weight:600}
[aria-sort=ascending] a::after{content:" \\2191";content:" \\2191"/""}
[aria-sort=descending] a::after{content:" \\2193";content:" \\2193"/""}
tbody tr{border-bottom:1px solid var(--line)}
tbody tr:hover{background:var(--raised)}
tbody th{width:100%}
tbody a{display:block;position:relative;padding:.4375rem .75rem .4375rem 2.375rem;color:inherit;overflow-wrap:anywhere;unicode-bidi:isolate}
tbody a:hover{color:var(--link)}
tbody a:focus-visible{outline-offset:-2px}
svg{position:absolute;left:.75rem;top:.6875rem;width:1rem;height:1rem;color:var(--soft)}
symbol{fill:none;stroke:currentColor;stroke-width:1.3;stroke-linecap:round;stroke-linejoin:round}
#d{color:var(--folder)}
td{padding:.4375rem .75rem;vertical-align:top;color:var(--soft);text-align:right;white-space:nowrap}
th:nth-child(2){text-align:right}
td:nth-child(3),th:nth-child(3){text-align:right}
nav p{color:var(--soft);margin:1rem 0 .75rem;overflow-wrap:anywhere}
nav b{color:var(--text);font-weight:500}
nav[aria-label=Pages] a{display:inline-block;margin-right:.5rem;padding:.375rem .75rem;border:1px solid var(--line);border-radius:6px;color:var(--text)}
nav[aria-label=Pages] a:hover{background:var(--raised);text-decoration:none}
section{margin-top:2rem;border:1px solid var(--line);border-radius:8px}
h2{margin:0;padding:.625rem 1rem;border-bottom:1px solid var(--line);font-size:.875rem;font-weight:600}
section pre{margin:0;padding:1rem;white-space:pre-wrap;unicode-bidi:isolate}
section p{margin:0;padding:1rem;color:var(--soft)}
footer{margin-top:2rem;font-size:.8125rem}
@media(max-width:36rem){
body{padding:1rem .75rem}
h1{font-size:1.375rem}
#filter{position:relative;width:auto}
kbd,td span,thead span{display:none}
input{padding-right:.75rem}
#said{position:static;min-height:1.75rem;padding:.5rem 0 0}
td,tbody a,thead a{padding-left:.375rem;padding-right:.375rem}
tbody a{padding-left:1.875rem}
svg{left:.375rem}
td{font-size:.8125rem;line-height:1.75}
dd{flex-direction:column;gap:.375rem}
}
`;
