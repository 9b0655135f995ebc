/** Colours of a terminal, as parameters of "SELECT GRAPHIC RENDITION". */
export const Colour = { boldRed: '1;31', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;
export type Colour = (typeof Colour)[keyof typeof Colour];

/** Puts a text into a colour. */
export type Paint = (colour: Colour, text: string) => string;

/** Makes a function that colours, or leaves texts as they are. */
export function painter(hasColours: boolean): Paint {
  return hasColours ? (colour, text) => `\x1b[${colour}m${text}\x1b[0m` : (_, text) => text;
}
