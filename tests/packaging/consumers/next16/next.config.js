module.exports = { distDir: process.env.DIST_DIR, devIndicators: false };
