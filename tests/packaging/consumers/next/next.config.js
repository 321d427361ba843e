// Two builds in one folder: the types are the same for both.
const { DIST_DIR } = process.env;
module.exports = {
  distDir: DIST_DIR,
  devIndicators: false,
  typescript: { ignoreBuildErrors: DIST_DIR === ".built-webpack" },
};
