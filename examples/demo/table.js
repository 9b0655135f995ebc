/** Formats rows with equal keys as a text table. Numbers are right-aligned, other values left-aligned. */
export function formatTable(rows) {
  const names = Object.keys(rows[0] ?? {});
  const text = (value) => (typeof value === 'number' ? value.toLocaleString('en-US') : value);
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => text(row[name]).length)));
  const line = (cells, pad) =>
    cells
      .map((cell, column) => pad(cell, column))
      .join('  ')
      .trimEnd();
  const isNumber = names.map((name) => typeof rows[0][name] === 'number');
  const align = (cell, column) => (isNumber[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]));
  return [
    line(names, align),
    line(
      widths.map((width) => '-'.repeat(width)),
      (cell) => cell,
    ),
    ...rows.map((row) =>
      line(
        names.map((name) => text(row[name])),
        align,
      ),
    ),
  ].join('\n');
}
