// For the run in CommonJS; the run in ES modules needs no transformation.
module.exports = { presets: [["@babel/preset-env", { targets: { node: "current" } }]] };
