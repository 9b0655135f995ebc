/** An option of another package, as it is here. */
export interface OtherOption<Name extends string = string> {
  /** The option that takes its place. @default none does */
  readonly is?: Name | undefined;
  /** What is different, or what to do where no option takes its place. @default it is the same */
  readonly note?: string | undefined;
}

/**
 * The options of other packages that do the same job, by package and by name: an error answers their names with ours, and the pages on
 * moving show them.
 */
export type OtherPackages<Name extends string = string> = Readonly<
  Record<string, Readonly<Record<string, OtherOption<Name>>>>
>;

/** What an option of other packages is here. `undefined` if none of them has it. The first of them answers for all. */
export function asNamedElsewhere(name: string, others: OtherPackages): string | undefined {
  const packages = Object.keys(others).filter((each) => Object.hasOwn(others[each] ?? {}, name));
  const option = others[packages[0] ?? '']?.[name];
  if (!option) return undefined;
  const subject = `"${name}" of ${packages.join(', ')} is`;
  const { is, note } = option;
  if (is === undefined) return `${subject} no option here: ${note}`;
  return note === undefined ? `${subject} "${is}" here` : `${subject} "${is}" here: ${note}`;
}
