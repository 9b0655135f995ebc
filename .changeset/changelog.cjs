/** For changesets: the text of each change as it is. All packages have one version, so that none lists those of the others. */
module.exports = {
  getReleaseLine: async ({ summary }) => summary,
  getDependencyReleaseLine: async () => '',
};
