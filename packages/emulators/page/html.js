// @ts-check
import htm from 'htm';
import { h } from 'preact';

/**
 * Makes elements from a template. Values become text nodes and attributes, never markup.
 *
 * @type {(strings: TemplateStringsArray, ...values: unknown[]) => import('preact').VNode}
 */
export const html = /** @type {any} */ (htm.bind(h));
