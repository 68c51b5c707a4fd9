/** The head of every page that is written: one file, no network, nothing allowed but its own style and script. */
import { createHash } from 'node:crypto';
import { html, type Markup } from './markup.ts';

export interface Head {
  readonly lang: string | Markup;
  readonly title: string | Markup;
  readonly style: string;
  /** The page's own script; absent where nothing on it runs. */
  readonly script?: string | undefined;
  /** The origin from which images and video may be loaded; absent for none. */
  readonly mediaOrigin?: string | undefined;
}

/** Up to the opened body. */
export function renderHead(head: Head): Markup {
  const style: Markup = { markup: head.style };
  return html`<!doctype html>
<html lang="${head.lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${makeContentPolicy(head)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${head.title}</title>
<style>${style}</style>
</head>
<body>
`;
}

/** Nothing is allowed but the style and the script given, by their hashes, and media of one origin. */
export function makeContentPolicy({
  style,
  script,
  mediaOrigin,
}: Pick<Head, 'style' | 'script' | 'mediaOrigin'>): string {
  return [
    "default-src 'none'",
    `style-src '${hashSource(style)}'`,
    ...(script === undefined ? [] : [`script-src '${hashSource(script)}'`]),
    ...(mediaOrigin === undefined ? [] : [`img-src ${mediaOrigin}`, `media-src ${mediaOrigin}`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hashSource(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
